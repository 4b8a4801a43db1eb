/**
 * What the APIs of Kibana take, written down from its sources: only the part that we send, and strict, as they are. A key that is not
 * here is refused. Of elastic/kibana, where each came from, with the commit that was read where it is known:
 *
 *   dashboards        src/platform/plugins/shared/dashboard/server/api/: dashboard_state_schemas.ts, update/register_update_route.ts
 *                     (07a3268fea63: 200, 201), update/update.ts (a new id: small letters, digits, `-`, `_`)
 *   panels            src/platform/packages/shared/kbn-lens-embeddable-utils/config_builder/schema/: charts/xy.ts (03e00ffb7e8e, of 9.6),
 *                     charts/datatable.ts (00182e8e9e92), charts/metric.ts, metric_ops.ts, shared.ts, format.ts
 *   esql_control      src/platform/packages/shared/controls/controls-schemas/src/: controls_group_schema.ts, options_list_schema.ts
 *   .es-query rules   EsQueryRuleParamsSchema of src/platform/packages/shared/response-ops/rule_params/es_query/v1.ts; ids of alerts:
 *                     x-pack/platform/plugins/shared/stack_alerts/common/esql_query_utils.ts; `row` came with 9.1 (#212135)
 *   PUT of a rule     x-pack/platform/plugins/shared/alerting/common/routes/rule/apis/update/schemas/v1.ts (1064da9d2c20), and
 *                     server/application/rule/methods/update/update_rule.ts (027ff2160655: no artifacts given, none left)
 *   export, import    src/core/packages/saved-objects/server-internal/src/routes/: export.ts (06b740bc862c), import.ts (03527cbb6772)
 *   saved searches    src/platform/plugins/shared/saved_search/server/saved_objects/schema_legacy.ts (37a128080786), model version 5
 */
import { z } from 'zod'

const text = z.string().min(1)

const column = z.strictObject({
  column: text,
  format: z.strictObject({ type: z.literal('number'), decimals: z.number(), suffix: z.string() }).optional()
})
const source = z.strictObject({ type: z.literal('esql'), query: text })
const info = { title: text, description: text }
const axisTitle = z.strictObject({ visible: z.boolean() })

const metric = z.strictObject({
  type: z.literal('metric'),
  ...info,
  data_source: source,
  metrics: z
    .array(column.extend({ type: z.enum(['primary', 'secondary']) }))
    .min(1)
    .max(2)
    .refine(metrics => metrics[0]!.type === 'primary' && metrics[1]?.type !== 'primary')
})

const table = z.strictObject({
  type: z.literal('data_table'),
  ...info,
  data_source: source,
  metrics: z.array(column).min(1).max(1000),
  rows: z.array(column).min(1).max(50).optional()
})

const chart = z.strictObject({
  type: z.literal('xy'),
  ...info,
  axis: z.strictObject({
    x: z.strictObject({
      scale: z.enum(['temporal', 'ordinal', 'linear']),
      domain: z.strictObject({ type: z.literal('fit'), rounding: z.boolean() }),
      title: axisTitle
    }),
    y: z.strictObject({ title: axisTitle })
  }),
  legend: z.strictObject({
    visibility: z.enum(['auto', 'visible', 'hidden']),
    position: z.enum(['top', 'bottom']),
    layout: z.strictObject({ type: z.literal('list') })
  }),
  layers: z
    .array(
      z.strictObject({
        type: z.enum(['bar', 'bar_stacked', 'line', 'area']),
        data_source: source,
        x: column,
        y: z.array(column).min(1),
        breakdown_by: column.optional()
      })
    )
    .min(1)
})

const grid = z.strictObject({
  x: z.number().min(0),
  y: z.number().min(0),
  w: z.number().min(1).max(48),
  h: z.number().min(1)
})

const control = z.strictObject({
  type: z.literal('esql_control'),
  width: z.enum(['small', 'medium', 'large']),
  grow: z.boolean(),
  config: z.strictObject({
    title: text,
    variable_name: z.string().regex(/^\w+$/),
    variable_type: z.literal('values'),
    control_type: z.literal('VALUES_FROM_QUERY'),
    esql_query: text,
    selected_options: z.array(z.string()),
    single_select: z.boolean()
  })
})

export const DASHBOARD = z.strictObject({
  title: text,
  description: z.string(),
  time_range: z.strictObject({ from: text, to: text }),
  pinned_panels: z.array(control).optional(),
  panels: z
    .array(
      z.strictObject({
        type: z.literal('vis'),
        id: text,
        grid,
        config: z.discriminatedUnion('type', [metric, table, chart])
      })
    )
    .max(100)
})

const rule = {
  name: text,
  tags: z.array(z.string()),
  schedule: z.strictObject({ interval: z.string().regex(/^\d+[smhd]$/) }),
  params: z.strictObject({
    searchType: z.literal('esqlQuery'),
    esqlQuery: z.strictObject({ esql: text }),
    timeField: text,
    timeWindowSize: z.number().min(1),
    timeWindowUnit: z.enum(['s', 'm', 'h', 'd']),
    size: z.number().min(0).max(10_000),
    threshold: z.tuple([z.literal(0)]),
    thresholdComparator: z.literal('>'),
    aggType: z.literal('count'),
    groupBy: z.enum(['all', 'row']),
    excludeHitsFromPreviousRun: z.boolean()
  }),
  actions: z.array(
    z.strictObject({
      id: text,
      group: text,
      params: z.record(z.string(), z.unknown()),
      uuid: text.optional(),
      frequency: z.unknown().optional()
    })
  )
}

/** `POST`; `PUT` takes neither type nor consumer. */
export const NEW_RULE = z.strictObject({
  ...rule,
  rule_type_id: z.literal('.es-query'),
  consumer: z.literal('stackAlerts')
})
export const RULE = z.strictObject({
  ...rule,
  alert_delay: z.unknown().optional(),
  flapping: z.unknown().optional(),
  artifacts: z.unknown().optional()
})

const savedObject = {
  id: text,
  references: z.array(z.unknown()),
  coreMigrationVersion: z.literal('8.8.0'),
  typeMigrationVersion: z.string().regex(/^\d+\.\d+\.\d+$/)
}

/** JSON in a text, as Kibana keeps much of its own. */
const jsonText = z.string().refine(value => JSON.parse(value) !== null)

export const SAVED_OBJECT = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('index-pattern'),
    ...savedObject,
    attributes: z.strictObject({
      title: text,
      name: text,
      timeFieldName: text,
      allowNoIndex: z.boolean(),
      sourceFilters: jsonText,
      fields: jsonText,
      fieldFormatMap: jsonText,
      typeMeta: jsonText,
      runtimeFieldMap: jsonText,
      fieldAttrs: jsonText
    })
  }),
  z.strictObject({
    type: z.literal('search'),
    ...savedObject,
    attributes: z.strictObject({
      title: text,
      description: z.string(),
      columns: z.array(z.string()),
      sort: z.array(z.array(z.string()).max(2)),
      grid: z.strictObject({}),
      hideChart: z.boolean(),
      isTextBasedQuery: z.boolean(),
      kibanaSavedObjectMeta: z.strictObject({ searchSourceJSON: jsonText })
    })
  })
])
