package why5xx.test;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.admin.indices.create.AutoCreateAction;
import org.elasticsearch.action.admin.indices.create.CreateIndexRequest;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.MetadataDeleteIndexService;
import org.elasticsearch.cluster.metadata.MetadataIndexTemplateService;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.cluster.metadata.ProjectMetadata;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.index.Index;
import org.elasticsearch.index.IndexNotFoundException;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/** GET, PUT, DELETE _data_stream: the streams are the server's own, the module "data-streams" only has the requests. */
class DataStreamHandler extends BaseRestHandler {
    private final ClusterService clusterService;

    DataStreamHandler(ClusterService clusterService) {
        this.clusterService = clusterService;
    }

    @Override
    public String getName() {
        return "test_data_stream";
    }

    @Override
    public List<Route> routes() {
        return List.of(
            new Route(RestRequest.Method.GET, "/_data_stream"),
            new Route(RestRequest.Method.GET, "/_data_stream/{name}"),
            new Route(RestRequest.Method.PUT, "/_data_stream/{name}"),
            new Route(RestRequest.Method.DELETE, "/_data_stream/{name}"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        String[] names = Strings.splitStringByCommaToArray(request.param("name", ""));
        for (String unused : List.of("expand_wildcards", "master_timeout", "timeout", "verbose", "include_defaults")) {
            request.param(unused);
        }
        return switch (request.method()) {
            case GET -> channel -> channel.sendResponse(new RestResponse(RestStatus.OK, list(names, channel.newBuilder())));
            // The server makes a data stream whenever a name that a template wants as one is written to.
            case PUT -> channel -> client.execute(
                AutoCreateAction.INSTANCE,
                new CreateIndexRequest(names[0]),
                ActionListener.wrap(made -> StateChange.acknowledge(channel), failure -> StateChange.refuse(channel, failure)));
            default -> channel -> clusterService.submitUnbatchedStateUpdateTask(
                "delete data stream", new StateChange(channel, state -> without(names, state)));
        };
    }

    private static List<DataStream> find(ProjectMetadata project, String[] names) {
        for (String name : names) {
            if (Regex.isSimpleMatchPattern(name) == false && project.dataStreams().containsKey(name) == false) {
                throw new IndexNotFoundException(name);
            }
        }
        return project.dataStreams().values().stream()
            .filter(stream -> names.length == 0 || Regex.simpleMatch(names, stream.getName())).toList();
    }

    private XContentBuilder list(String[] names, XContentBuilder answer) throws java.io.IOException {
        ProjectMetadata project = clusterService.state().metadata().getProject(ProjectId.DEFAULT);
        answer.startObject().startArray("data_streams");
        for (DataStream stream : find(project, names)) {
            answer.startObject().field("name", stream.getName());
            answer.startObject("timestamp_field").field("name", "@timestamp").endObject();
            answer.startArray("indices");
            for (Index index : stream.getIndices()) {
                answer.startObject().field("index_name", index.getName()).field("index_uuid", index.getUUID()).endObject();
            }
            answer.endArray();
            String template = MetadataIndexTemplateService.findV2Template(project, stream.getName(), stream.isHidden());
            answer.field("generation", stream.getGeneration()).field("status", "GREEN").field("template", template).endObject();
        }
        return answer.endArray().endObject();
    }

    private ClusterState without(String[] names, ClusterState state) {
        ProjectMetadata project = state.metadata().getProject(ProjectId.DEFAULT);
        ProjectMetadata.Builder changed = ProjectMetadata.builder(project);
        Set<Index> indices = new HashSet<>();
        for (DataStream stream : find(project, names)) {
            indices.addAll(stream.getIndices());
            indices.addAll(stream.getFailureIndices());
            changed.removeDataStream(stream.getName());
        }
        ClusterState withoutStreams = ClusterState.builder(state).putProjectMetadata(changed).build();
        return MetadataDeleteIndexService.deleteIndices(
            withoutStreams.projectState(ProjectId.DEFAULT), indices, clusterService.getSettings());
    }
}
