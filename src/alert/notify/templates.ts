/** The templates that come with the program; deploy/alerts/ holds the same as files, to be copied and changed. */

import { compileTemplate, type Template } from './template.ts'

const GENERIC = `{%- comment -%} The notice itself: README.md beside this file says what its fields are. {%- endcomment -%}
{{ notice }}
`

const SLACK = `{%- comment -%}
  For an incoming webhook of Slack. {{ … }} prints a whole JSON value; texts are put together between capture and endcapture.
  The filter slack takes & < > and mentions apart and cuts to what Slack allows: 150 in a header, 2,000 in a field, 3,000 in a text.
{%- endcomment -%}
{%- capture newline %}
{% endcapture -%}
{%- assign word = "Failing" -%}
{%- assign color = "#d72b3f" -%}
{%- if severity != "page" -%}{%- assign color = "#e8a33d" -%}{%- endif -%}
{%- if kind == "update" -%}{%- assign word = "Still failing" -%}{%- endif -%}
{%- if kind == "test" -%}{%- assign word = "Test" -%}{%- assign color = "#4a7bd0" -%}{%- endif -%}
{%- if kind == "resolved" -%}{%- assign word = "Resolved" -%}{%- assign color = "#2eb67d" -%}{%- endif -%}
{%- capture heading -%}{{ word }}: {{ service }}, {{ causeTitle }}{%- endcapture -%}
{%- capture fallback -%}{{ word }}: {{ title }}{%- endcapture -%}
{%- capture since_until -%}{{ since }}{% if until %} to {{ until }}{% endif %}{%- endcapture -%}
{
  "attachments": [
    {
      "color": {{ color }},
      "fallback": {{ fallback | slack: 3000 }},
      "blocks": [
        { "type": "header", "text": { "type": "plain_text", "emoji": false, "text": {{ heading | slack: 150 }} } },
        { "type": "section", "text": { "type": "mrkdwn", "verbatim": true, "text": {{ title | slack: 3000 }} } },
        {
          "type": "section",
          "fields": [
            {%- capture field -%}*Numbers*{{ newline }}{{ numbers | slack: 1900 }}{%- endcapture -%}
            { "type": "mrkdwn", "verbatim": true, "text": {{ field }} },
            {%- capture field -%}*Since*{{ newline }}{{ since_until | slack: 1900 }}{%- endcapture -%}
            { "type": "mrkdwn", "verbatim": true, "text": {{ field }} },
            {%- capture field -%}*Cause*{{ newline }}{{ cause | slack: 900 }}{% if status %}, status {{ status }}{% endif %}{%- endcapture -%}
            { "type": "mrkdwn", "verbatim": true, "text": {{ field }} },
            {%- capture field -%}*Cluster*{{ newline }}{{ cluster | slack: 1900 }}{%- endcapture -%}
            { "type": "mrkdwn", "verbatim": true, "text": {{ field }} }
          ]
        },
        {%- if kind == "test" or why == nil and example == nil and changes == empty and grouped == nil -%}
        { "type": "section", "text": { "type": "mrkdwn", "verbatim": true, "text": {{ text | slack: 3000 }} } },
        {%- endif -%}
        {%- if why -%}
        {%- capture block -%}*Why*{{ newline }}{{ why | slack: 2000 }}{% if rootCause.advice %}{{ newline }}{{ rootCause.advice | slack: 900 }}{% endif %}{%- endcapture -%}
        { "type": "section", "text": { "type": "mrkdwn", "verbatim": true, "text": {{ block }} } },
        {%- endif -%}
        {%- if grouped -%}
        {%- capture lines -%}{%- for member in grouped.members limit: 10 -%}{{ newline }}{{ member.title | slack: 250 }}{%- endfor -%}{%- endcapture -%}
        {%- capture block -%}*Also, by {{ grouped.by | slack: 50 }} {{ grouped.key | slack: 300 }}*{{ lines }}{%- endcapture -%}
        { "type": "section", "text": { "type": "mrkdwn", "verbatim": true, "text": {{ block }} } },
        {%- endif -%}
        {%- if changes != empty -%}
        {%- capture lines -%}{%- for change in changes limit: 8 -%}{{ newline }}{{ change.at }} {{ change.text | slack: 300 }}{%- endfor -%}{%- endcapture -%}
        {%- capture block -%}*Changed before*{{ lines }}{%- endcapture -%}
        { "type": "section", "text": { "type": "mrkdwn", "verbatim": true, "text": {{ block }} } },
        {%- endif -%}
        {%- if example -%}
        {%- capture block -%}*Example*{{ newline }}{{ example.request | slack: 2500 }}, {{ example.time }}{%- endcapture -%}
        { "type": "section", "text": { "type": "mrkdwn", "verbatim": true, "text": {{ block }} } },
        {%- endif -%}
        {
          "type": "context",
          "elements": [
            { "type": "mrkdwn", "verbatim": true, "text": {{ link | slack_link: "Incident" | limit: 2000 }} },
            { "type": "mrkdwn", "verbatim": true, "text": {{ runbook | slack_link: "Runbook" | limit: 2000 }} },
            { "type": "mrkdwn", "verbatim": true, "text": {{ key | slack: 200 }} }
          ]
        }
      ]
    }
  ]
}
`

const PAGERDUTY = `{%- comment -%}
  An event for PagerDuty's Events API v2. The incident's id is the dedup_key: an update stays in the same alert, and a resolve
  closes it. Allowed are 1,024 characters in summary, 255 in dedup_key.
{%- endcomment -%}
{%- assign action = "trigger" -%}
{%- if kind == "resolved" -%}{%- assign action = "resolve" -%}{%- endif -%}
{%- assign level = "critical" -%}
{%- if severity != "page" -%}{%- assign level = "warning" -%}{%- endif -%}
{%- assign group = namespace | default: cluster -%}
{%- assign link_is_url = link | is_url -%}
{%- assign runbook_is_url = runbook | is_url -%}
{
  "routing_key": {{ routing_key }},
  "event_action": {{ action }},
  "dedup_key": {{ key | limit: 255 }},
  "client": "why5xx",
  {%- if link_is_url %}
  "client_url": {{ link }},
  {%- endif %}
  "payload": {
    "summary": {{ title | limit: 1024 }},
    "source": {{ service | limit: 255 }},
    "severity": {{ level }},
    "timestamp": {{ since }},
    "component": {{ upstream | limit: 255 }},
    "group": {{ group | limit: 255 }},
    "class": {{ cause | limit: 255 }},
    "custom_details": {
      "text": {{ text | limit: 20000 }},
      "numbers": {{ numbers | limit: 1000 }},
      "why": {{ why | limit: 5000 }},
      "advice": {% if rootCause %}{{ rootCause.advice | limit: 5000 }}{% else %}""{% endif %},
      "evidence": [{% if rootCause %}{% for item in rootCause.evidence limit: 5 %}{{ item.text | limit: 1000 }}{% unless forloop.last %}, {% endunless %}{% endfor %}{% endif %}],
      "example": {% if example %}{{ example.request | limit: 5000 }}{% else %}""{% endif %},
      "changes": [{% for change in changes limit: 20 %}{% capture line %}{{ change.at }} {{ change.text }}{% endcapture %}{{ line | limit: 1000 }}{% unless forloop.last %}, {% endunless %}{% endfor %}],
      "grouped": [{% if grouped %}{% for member in grouped.members limit: 50 %}{{ member.title | limit: 1000 }}{% unless forloop.last %}, {% endunless %}{% endfor %}{% endif %}],
      "cluster": {{ cluster | limit: 255 }},
      "failures": {{ failures }},
      "masked": {{ masked }},
      "requests": {{ requests }},
      "expected": {{ expected }},
      "until": {{ until }},
      "runbook": {{ runbook | limit: 2000 }},
      "link": {{ link | limit: 2000 }}
    }
  },
  "links": [
    {%- if link_is_url %}{ "href": {{ link }}, "text": "Incident" }{% endif -%}
    {%- if link_is_url and runbook_is_url %}, {% endif -%}
    {%- if runbook_is_url %}{ "href": {{ runbook }}, "text": "Runbook" }{% endif -%}
  ]
}
`

type ShippedName = 'generic' | 'slack' | 'pagerduty'

const SHIPPED: ReadonlyMap<string, string> = new Map<ShippedName, string>([
  ['generic', GENERIC],
  ['slack', SLACK],
  ['pagerduty', PAGERDUTY]
])

/** Any other name is that of a file. */
export function isShipped(name: string): name is ShippedName {
  return SHIPPED.has(name)
}

/** Its source, as people find it in deploy/alerts/. */
export function shippedTemplate(name: ShippedName): string {
  return SHIPPED.get(name)!
}

export function compileShipped(name: ShippedName): Template {
  return compileTemplate(shippedTemplate(name), name, name === 'pagerduty')
}
