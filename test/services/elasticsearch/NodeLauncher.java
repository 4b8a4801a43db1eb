package why5xx.test;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Starts one Elasticsearch node in this JVM. The distribution's own launcher is in no package registry.
 *
 * The home (system property es.path.home) has lib/, modules/ and plugins/; why5xx.config names the configuration;
 * arguments are settings, key=value; the environment's ELASTIC_PASSWORD becomes the password of the user "elastic". Prints "node is ready" when it is.
 */
public class NodeLauncher {
    public static void main(String[] arguments) throws Exception {
        // Logging must be there before anything else of the server is touched.
        LogConfigurator.registerErrorListener();
        LogConfigurator.configureESLogging();
        Environment environment = withPassword(prepare(arguments), System.getenv("ELASTIC_PASSWORD"));
        LogConfigurator.setClusterName(environment.settings().get("cluster.name"));
        LogConfigurator.setNodeName(environment.settings().get("node.name"));
        LogConfigurator.configure(environment, true);

        Node node = new Node(environment, pluginsOf(environment));
        CountDownLatch closed = closedAtShutdown(node);
        node.start();
        System.out.println("node is ready");
        System.out.flush();
        closed.await();
    }

    private static Environment prepare(String[] arguments) {
        Path home = Path.of(System.getProperty("es.path.home")).toAbsolutePath();
        Settings.Builder settings = Settings.builder().put("path.home", home);
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            settings.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        Path config = Path.of(System.getProperty("why5xx.config"));
        return InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), config, () -> "test");
    }

    /** A keystore in memory holds the password; a node without security has none. */
    private static Environment withPassword(Environment environment, String password) throws Exception {
        if (password == null || password.isEmpty()) return environment;
        KeyStoreWrapper keyStore = KeyStoreWrapper.create();
        keyStore.setString("bootstrap.password", password.toCharArray());
        Settings settings = Settings.builder().put(environment.settings()).setSecureSettings(keyStore).build();
        return new Environment(settings, environment.configDir());
    }

    /** The server lies on the class path here and is no named module, so its plugins must not be modules either. */
    private static PluginsLoader pluginsOf(Environment environment) {
        return PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir(), false),
            PluginsLoader.loadPluginsBundles(environment.pluginsDir(), false),
            Map.of(),
            false);
    }

    private static CountDownLatch closedAtShutdown(Node node) {
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
                node.awaitClose(10, TimeUnit.SECONDS);
            } catch (IOException | InterruptedException failure) {
                failure.printStackTrace();
            } finally {
                closed.countDown();
            }
        }));
        return closed;
    }
}
