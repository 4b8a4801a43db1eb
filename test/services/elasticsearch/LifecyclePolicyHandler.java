package why5xx.test;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.Metadata;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.cluster.metadata.ProjectMetadata;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.core.CheckedFunction;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestChannel;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.ToXContent;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xpack.core.ilm.*;
import org.elasticsearch.xpack.core.ilm.action.PutLifecycleRequest;

/**
 * PUT, GET, DELETE _ilm/policy: the server's own parser and its own record in the cluster state, for the module "x-pack-ilm".
 * Nothing ever runs a policy.
 */
class LifecyclePolicyHandler extends BaseRestHandler {
    private static final TimeValue PATIENCE = TimeValue.timeValueSeconds(30);

    private final ClusterService clusterService;

    LifecyclePolicyHandler(ClusterService clusterService) {
        this.clusterService = clusterService;
    }

    /** What that module registers, so that requests and a saved cluster state can be read. */
    static List<NamedXContentRegistry.Entry> namedXContent() {
        return List.of(
            new NamedXContentRegistry.Entry(Metadata.ProjectCustom.class, new ParseField(IndexLifecycleMetadata.TYPE),
                parser -> IndexLifecycleMetadata.PARSER.parse(parser, null)),
            new NamedXContentRegistry.Entry(LifecycleType.class, new ParseField(TimeseriesLifecycleType.TYPE),
                (parser, context) -> TimeseriesLifecycleType.INSTANCE),
            action(AllocateAction.NAME, AllocateAction::parse),
            action(DeleteAction.NAME, DeleteAction::parse),
            action(DownsampleAction.NAME, DownsampleAction::parse),
            action(ForceMergeAction.NAME, ForceMergeAction::parse),
            action(MigrateAction.NAME, MigrateAction::parse),
            action(ReadOnlyAction.NAME, ReadOnlyAction::parse),
            action(RolloverAction.NAME, RolloverAction::parse),
            action(SearchableSnapshotAction.NAME, SearchableSnapshotAction::parse),
            action(SetPriorityAction.NAME, SetPriorityAction::parse),
            action(ShrinkAction.NAME, ShrinkAction::parse),
            action(UnfollowAction.NAME, UnfollowAction::parse),
            action(WaitForSnapshotAction.NAME, WaitForSnapshotAction::parse));
    }

    private static NamedXContentRegistry.Entry action(
        String name, CheckedFunction<XContentParser, LifecycleAction, IOException> parser) {
        return new NamedXContentRegistry.Entry(LifecycleAction.class, new ParseField(name), parser);
    }

    @Override
    public String getName() {
        return "test_lifecycle_policy";
    }

    @Override
    public List<Route> routes() {
        return List.of(
            new Route(RestRequest.Method.GET, "/_ilm/policy"),
            new Route(RestRequest.Method.GET, "/_ilm/policy/{name}"),
            new Route(RestRequest.Method.PUT, "/_ilm/policy/{name}"),
            new Route(RestRequest.Method.DELETE, "/_ilm/policy/{name}"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) throws IOException {
        String name = request.param("name", "");
        for (String unused : List.of("master_timeout", "timeout")) request.param(unused);
        return switch (request.method()) {
            case GET -> channel -> get(Strings.splitStringByCommaToArray(name), channel);
            case PUT -> {
                LifecyclePolicy policy = parse(name, request);
                yield channel -> change(channel, policies -> {
                    LifecyclePolicyMetadata old = policies.get(name);
                    long version = old == null ? 1 : old.getVersion() + 1;
                    policies.put(name, new LifecyclePolicyMetadata(policy, Map.of(), version, System.currentTimeMillis()));
                });
            }
            default -> channel -> change(channel, policies -> {
                if (policies.remove(name) == null) throw notFound(name);
            });
        };
    }

    private static ResourceNotFoundException notFound(String name) {
        return new ResourceNotFoundException("Lifecycle policy not found: {}", name);
    }

    private static LifecyclePolicy parse(String name, RestRequest request) throws IOException {
        LifecyclePolicy.validatePolicyName(name);
        try (XContentParser parser = request.contentParser()) {
            LifecyclePolicy policy = PutLifecycleRequest.parseRequest(new PutLifecycleRequest.Factory() {
                @Override
                public PutLifecycleRequest create(LifecyclePolicy parsed) {
                    return new PutLifecycleRequest(PATIENCE, PATIENCE, parsed);
                }

                @Override
                public String getPolicyName() {
                    return name;
                }
            }, parser).getPolicy();
            policy.validate();
            return policy;
        }
    }

    private static IndexLifecycleMetadata lifecycleOf(ClusterState state) {
        return state.metadata().getProject(ProjectId.DEFAULT).custom(IndexLifecycleMetadata.TYPE, IndexLifecycleMetadata.EMPTY);
    }

    private void get(String[] names, RestChannel channel) throws IOException {
        Map<String, LifecyclePolicyMetadata> policies = lifecycleOf(clusterService.state()).getPolicyMetadatas();
        for (String name : names) {
            if (Regex.isSimpleMatchPattern(name) == false && policies.containsKey(name) == false) {
                StateChange.refuse(channel, notFound(name));
                return;
            }
        }
        XContentBuilder answer = channel.newBuilder().startObject();
        for (LifecyclePolicyMetadata policy : policies.values()) {
            if (names.length > 0 && Regex.simpleMatch(names, policy.getName()) == false) continue;
            answer.startObject(policy.getName());
            answer.field("version", policy.getVersion()).field("modified_date", policy.getModifiedDateString()).field("policy");
            policy.getPolicy().toXContent(answer, ToXContent.EMPTY_PARAMS);
            answer.startObject("in_use_by");
            for (String user : List.of("indices", "data_streams", "composable_templates")) answer.field(user, List.of());
            answer.endObject().endObject();
        }
        channel.sendResponse(new RestResponse(RestStatus.OK, answer.endObject()));
    }

    private void change(RestChannel channel, Consumer<Map<String, LifecyclePolicyMetadata>> change) {
        clusterService.submitUnbatchedStateUpdateTask("change lifecycle policies", new StateChange(channel, state -> {
            Map<String, LifecyclePolicyMetadata> policies = new TreeMap<>(lifecycleOf(state).getPolicyMetadatas());
            change.accept(policies);
            ProjectMetadata project = ProjectMetadata.builder(state.metadata().getProject(ProjectId.DEFAULT))
                .putCustom(IndexLifecycleMetadata.TYPE, new IndexLifecycleMetadata(policies, OperationMode.STOPPED)).build();
            return ClusterState.builder(state).putProjectMetadata(project).build();
        }));
    }
}
