// Random access rules and what Kafka's own StandardAuthorizer decides on random actions, for
// src/auth/testdata/decisions.txt:
//
//   java -cp 'JARS/*' Decisions.java > src/auth/testdata/decisions.txt
//
//   set EVERYONE_ELSE                                                      begins a set of rules
//   rule RESOURCE PATTERN NAME PRINCIPAL HOST OPERATION PERMISSION
//   action RESOURCE NAME PRINCIPAL HOST OPERATION ALLOWED
//   some RESOURCE PRINCIPAL HOST OPERATION ALLOWED                         on some resource of the type
import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.internals.PluginMetricsImpl;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.metadata.authorizer.StandardAcl;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;

class Decisions {
    static final Random RANDOM = new Random(4);
    static final String[] NAMES = {"a", "ab", "abc", "b", "ba"};
    static final String[] USERS = {"User:x", "User:y"};
    static final String[] HOSTS = {"10.0.0.1", "10.0.0.2"};
    static final ResourceType[] TYPES = {ResourceType.TOPIC, ResourceType.GROUP};
    static final AclOperation[] OPERATIONS = {
        AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.ALTER_CONFIGS,
        AclOperation.DESCRIBE_CONFIGS, AclOperation.DELETE};

    static <T> T one(T[] all) {
        return all[RANDOM.nextInt(all.length)];
    }

    record Caller(KafkaPrincipal principal, InetAddress clientAddress) implements AuthorizableRequestContext {
        public String listenerName() { return "PLAINTEXT"; }
        public SecurityProtocol securityProtocol() { return SecurityProtocol.PLAINTEXT; }
        public int requestType() { return 0; }
        public int requestVersion() { return 0; }
        public String clientId() { return ""; }
        public int correlationId() { return 0; }
    }

    static Caller caller(String user, String host) throws Exception {
        return new Caller(new KafkaPrincipal("User", user.substring(5)), InetAddress.getByName(host));
    }

    static StandardAcl rule() {
        boolean prefixed = RANDOM.nextInt(3) == 0;
        String name = !prefixed && RANDOM.nextInt(4) == 0 ? "*" : one(NAMES);
        String user = RANDOM.nextInt(3) == 0 ? "User:*" : one(USERS);
        String host = RANDOM.nextInt(3) == 0 ? one(HOSTS) : "*";
        AclOperation operation = RANDOM.nextInt(4) == 0 ? AclOperation.ALL : one(OPERATIONS);
        AclPermissionType permission = RANDOM.nextInt(3) == 0 ? AclPermissionType.DENY : AclPermissionType.ALLOW;
        return new StandardAcl(one(TYPES), name, prefixed ? PatternType.PREFIXED : PatternType.LITERAL, user, host,
            operation, permission);
    }

    public static void main(String[] words) throws Exception {
        for (int set = 0; set < 150; ++set) {
            boolean everyone = RANDOM.nextBoolean();
            System.out.printf("set %d%n", everyone ? 1 : 0);
            StandardAuthorizer authorizer = new StandardAuthorizer();
            authorizer.withPluginMetrics(new PluginMetricsImpl(new Metrics(), Map.of()));
            authorizer.configure(Map.of("allow.everyone.if.no.acl.found", Boolean.toString(everyone)));
            Set<StandardAcl> rules = new HashSet<>();
            for (int i = RANDOM.nextInt(8); i >= 0; --i) {
                StandardAcl acl = rule();
                if (!rules.add(acl)) continue;
                authorizer.addAcl(Uuid.randomUuid(), acl);
                System.out.printf("rule %d %d %s %s %s %d %d%n", acl.resourceType().code(), acl.patternType().code(),
                    acl.resourceName(), acl.principal(), acl.host(), acl.operation().code(),
                    acl.permissionType().code());
            }
            authorizer.completeInitialLoad();
            for (int i = 0; i < 20; ++i) {
                String user = one(USERS), host = one(HOSTS), name = one(NAMES);
                AclOperation operation = one(OPERATIONS);
                ResourceType type = one(TYPES);
                Action action = new Action(operation, new ResourcePattern(type, name, PatternType.LITERAL), 1, true, true);
                boolean allowed = authorizer.authorize(caller(user, host), List.of(action)).get(0)
                    == AuthorizationResult.ALLOWED;
                System.out.printf("action %d %s %s %s %d %d%n", type.code(), name, user, host, operation.code(),
                    allowed ? 1 : 0);
            }
            for (int i = 0; i < 6; ++i) {
                String user = one(USERS), host = one(HOSTS);
                AclOperation operation = one(OPERATIONS);
                ResourceType type = one(TYPES);
                boolean allowed = authorizer.authorizeByResourceType(caller(user, host), operation, type)
                    == AuthorizationResult.ALLOWED;
                System.out.printf("some %d %s %s %d %d%n", type.code(), user, host, operation.code(), allowed ? 1 : 0);
            }
        }
    }
}
