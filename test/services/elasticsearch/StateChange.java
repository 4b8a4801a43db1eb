package why5xx.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.UnaryOperator;

import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ClusterStateUpdateTask;
import org.elasticsearch.rest.RestChannel;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;

/** A change of the cluster state that answers the request which asked for it: acknowledged, or the error. */
class StateChange extends ClusterStateUpdateTask {
    private final RestChannel channel;
    private final UnaryOperator<ClusterState> change;

    StateChange(RestChannel channel, UnaryOperator<ClusterState> change) {
        this.channel = channel;
        this.change = change;
    }

    @Override
    public ClusterState execute(ClusterState state) {
        return change.apply(state);
    }

    @Override
    public void onFailure(Exception failure) {
        refuse(channel, failure);
    }

    @Override
    public void clusterStateProcessed(ClusterState before, ClusterState after) {
        acknowledge(channel);
    }

    static void acknowledge(RestChannel channel) {
        try {
            channel.sendResponse(
                new RestResponse(RestStatus.OK, channel.newBuilder().startObject().field("acknowledged", true).endObject()));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static void refuse(RestChannel channel, Exception reason) {
        try {
            channel.sendResponse(new RestResponse(channel, reason));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
