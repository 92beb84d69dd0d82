// Random tokens, unsecured tokens and first messages of SASL/OAUTHBEARER, and what Kafka's own validators and its own
// parser say of them, for src/auth/testdata/tokens.txt:
//
//   java -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file:///tmp/keys.json \
//     -cp 'JARS/*' Tokens.java /tmp/keys.json > src/auth/testdata/tokens.txt
//
//   keys JSON                                                 the key set of all signed tokens
//   rules AUDIENCE,… ISSUER SCOPE_CLAIM SUBJECT_CLAIM         begins tokens that are held to them; - for none
//   signed TOKEN yes EXPIRES_MS SUBJECT SCOPE,… | no          names and scopes as base64, - for an empty one
//   unsecured REQUIRED_SCOPE TOKEN yes … | no STATUS SCOPE
//   message BYTES yes AUTHORIZATION_ID TOKEN | no             in base64
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerClientInitialResponse;
import org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler;
import org.jose4j.jwk.JsonWebKey;

class Tokens {
    static final Random RANDOM = new Random(7);
    static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();

    record Key(String id, String family, PrivateKey secret) {}

    static String one(String... all) {
        return all[RANDOM.nextInt(all.length)];
    }

    /** The first nine times of ten. */
    static String mostly(String usual, String... others) {
        return RANDOM.nextInt(10) > 0 ? usual : one(others);
    }

    static String base64(String text) {
        return text.isEmpty() ? "-" : Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    static KeyPair rsa(int bits) throws Exception {
        KeyPairGenerator maker = KeyPairGenerator.getInstance("RSA");
        maker.initialize(bits);
        return maker.generateKeyPair();
    }

    static KeyPair curve(String name) throws Exception {
        KeyPairGenerator maker = KeyPairGenerator.getInstance("EC");
        maker.initialize(new ECGenParameterSpec(name));
        return maker.generateKeyPair();
    }

    static KeyPair edwards() throws Exception {
        return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    }

    static Map<String, Object> published(KeyPair pair, String id, String use, String algorithm) throws Exception {
        JsonWebKey key = JsonWebKey.Factory.newJwk(pair.getPublic());
        if (id != null) key.setKeyId(id);
        if (use != null) key.setUse(use);
        if (algorithm != null) key.setAlgorithm(algorithm);
        return key.toParams(JsonWebKey.OutputControlLevel.PUBLIC_ONLY);
    }

    static byte[] sign(String algorithm, PrivateKey key, byte[] text) throws Exception {
        String digest = algorithm.length() == 5 ? algorithm.substring(2) : "";
        Signature signature;
        if (algorithm.startsWith("RS")) {
            signature = Signature.getInstance("SHA" + digest + "withRSA");
        } else if (algorithm.startsWith("PS")) {
            signature = Signature.getInstance("RSASSA-PSS");
            signature.setParameter(new PSSParameterSpec("SHA-" + digest, "MGF1", new MGF1ParameterSpec("SHA-" + digest),
                Integer.parseInt(digest) / 8, 1));
        } else if (algorithm.startsWith("ES")) {
            signature = Signature.getInstance("SHA" + digest + "withECDSAinP1363Format");
        } else {
            signature = Signature.getInstance("Ed25519");
        }
        signature.initSign(key);
        signature.update(text);
        return signature.sign();
    }

    static String claims() {
        List<String> all = new ArrayList<>();
        all.add("\"iat\":" + mostly("1700000000", "1700000000.5", "4100000000", "\"1700000000\"", "null", "0"));
        all.add("\"exp\":" + mostly("4102444800", "4102444800.75", "1600000000", "1700000000", "4.1024448E9", "\"4102444800\"", "null",
            "-5", "[4102444800]"));
        all.add("\"sub\":" + mostly("\"alice\"", "\" bob \"", "\"\"", "\"  \"", "7", "null", "\"C=DE,CN=é\"", "[\"alice\"]"));
        if (RANDOM.nextInt(8) == 0) all.add("\"nbf\":" + mostly("1700000000", "4101000000", "4102444801", "\"1\"", "null"));
        if (RANDOM.nextInt(4) > 0) {
            all.add("\"aud\":" + mostly("\"kafka\"", "[\"kafka\"]", "[\"other\",\"kafka\"]", "\"other\"", "[]", "5", "[5]", "null"));
        }
        if (RANDOM.nextInt(4) > 0) all.add("\"iss\":" + mostly("\"https://id.example\"", "\"https://id.example/\"", "5", "null"));
        if (RANDOM.nextInt(2) == 0) {
            all.add("\"scope\":" + one("\"read\"", "\"read write\"", "[\"read\",\"write\"]", "[\"read\",\"write\"]", "[\"write\"]", "[\"read\",\"read\"]",
                "[\"read\",\" read\"]", "[\"\"]", "[]", "\"\"", "7", "null", "{\"a\":1}"));
        }
        if (RANDOM.nextInt(2) == 0) all.add("\"email\":" + mostly("\"alice@example.org\"", "5", "\"\""));
        if (RANDOM.nextInt(10) == 0) all.add("\"jti\":" + one("\"one\"", "5", "null"));
        if (RANDOM.nextInt(20) == 0) all.remove(RANDOM.nextInt(all.size()));
        if (RANDOM.nextInt(40) == 0) all.add("\"sub\":\"mallory\"");
        return mostly("{" + String.join(",", all) + "}", "{" + String.join(",", all) + "}", "[]", "", "{", "null", "\"alice\"");
    }

    static String signed(List<Key> keys) throws Exception {
        Key key = keys.get(RANDOM.nextInt(RANDOM.nextInt(8) > 0 ? 6 : keys.size()));
        String algorithm = switch (key.family) {
            case "RSA" -> "weak".equals(key.id) ? "RS256" : one("RS256", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512");
            case "P-256" -> "ES256";
            case "P-384" -> "ES384";
            case "P-521" -> "ES512";
            default -> "EdDSA";
        };
        String said = RANDOM.nextInt(25) == 0 ? one("none", "HS256", "RS256", "ES256", "PS256", "rs256", "", "ODD") : algorithm;
        String header = "{\"alg\":\"" + said + "\"";
        String id = RANDOM.nextInt(25) == 0 ? one("nobody", "rsa1", "p256") : key.id;
        if (id != null && RANDOM.nextInt(15) > 0) header += ",\"kid\":\"" + id + "\"";
        if (RANDOM.nextInt(30) == 0) header += one(",\"crit\":[\"exp\"]", ",\"cty\":\"JWT\"", ",\"typ\":\"JWT\"", ",\"typ\":\"at+jwt\"",
            ",\"alg\":\"" + algorithm + "\"");
        header += RANDOM.nextInt(60) == 0 ? "" : "}";
        String text = URL.encodeToString(header.getBytes(StandardCharsets.UTF_8)) + "." + URL.encodeToString(claims().getBytes(StandardCharsets.UTF_8));
        byte[] signature = sign(algorithm, key.secret, text.getBytes(StandardCharsets.US_ASCII));
        if (RANDOM.nextInt(15) == 0) signature[RANDOM.nextInt(signature.length)] ^= 1;
        String token = text + "." + URL.encodeToString(signature);
        if (RANDOM.nextInt(40) == 0) token = one(text + ".", text, token + ".", "." + token, token.substring(0, token.length() - 8), ".." , text + "..");
        return token;
    }

    static String unsecured() {
        String header = mostly("{\"alg\":\"none\"}", "{\"alg\":\"none\",\"typ\":\"JWT\"}", "{\"alg\":\"RS256\"}");
        // Kafka reads null there as the text "null", which is nobody's name, and of two subs the last.
        String claims = claims().replace("null", "5").replace(",\"sub\":\"mallory\"", "");
        Base64.Encoder way = Base64.getEncoder();
        String token = way.encodeToString(header.getBytes(StandardCharsets.UTF_8)) + "." + way.encodeToString(claims.getBytes(StandardCharsets.UTF_8)) + ".";
        return mostly(token, token + "AAAA", token + ".", token + "x.y", token.substring(0, token.length() - 1));
    }

    static String message() {
        StringBuilder out = new StringBuilder();
        out.append(mostly("n,", "y,", "p=tls-unique,", "n", ""));
        out.append(one(",", mostly(",", "a==2Calice,", "a=a=3Db,", "a=,", "a=al=2cice,", "a=é,", "b=x,", "alice,"), "a=alice,"));
        out.append(mostly("\u0001", "", "\u0001\u0001"));
        for (int i = RANDOM.nextInt(3); i > 0; --i) {
            out.append(mostly("host=example.org", "port=9092", "scope=read write", "traceId=1=2", "x=", "=y", "a1=b", "tab=a\tb", "bad=é", "none"));
            out.append(mostly("\u0001", "", ","));
        }
        if (RANDOM.nextInt(20) > 0) {
            out.append(mostly("auth=", "Auth=", "auth"));
            out.append(mostly("Bearer ", "bearer   ", "BEARER ", "Bearer", "Basic ", "", "Be@rer ", "Bearer\t"));
            out.append(mostly("abc.def.ghi", "abc", "a/b+c-d_e~f.g==", "", "a b", "a,b", "=abc", "ab=c", "=="));
            out.append(mostly("\u0001", ""));
        }
        out.append(mostly("\u0001", "", "\u0001\u0001", "\u0001x"));
        return out.toString();
    }

    static String judged(AuthenticateCallbackHandler handler, String token) throws Exception {
        OAuthBearerValidatorCallback callback = new OAuthBearerValidatorCallback(token);
        try {
            handler.handle(new Callback[] {callback});
        } catch (RuntimeException e) {
            return "no - -";  // the connection ends
        }
        OAuthBearerToken taken = callback.token();
        if (taken == null) {
            return "no " + base64(callback.errorStatus()) + " " + base64(callback.errorScope() == null ? "" : callback.errorScope());
        }
        String scopes = new TreeSet<>(taken.scope()).stream().map(Tokens::base64).collect(Collectors.joining(","));
        return "yes " + taken.lifetimeMs() + " " + base64(taken.principalName()) + " " + (scopes.isEmpty() ? "-" : scopes);
    }

    static AppConfigurationEntry jaas(Map<String, String> options) {
        return new AppConfigurationEntry("org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule",
            AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, options);
    }

    public static void main(String[] arguments) throws Exception {
        List<Key> keys = new ArrayList<>();
        List<Map<String, Object>> set = new ArrayList<>();
        Object[][] pairs = {
            {"rsa1", "RSA", rsa(2048), "sig", "RS256"}, {"rsa2", "RSA", rsa(3072), null, null}, {"p256", "P-256", curve("secp256r1"), "sig", "ES256"},
            {"p384", "P-384", curve("secp384r1"), null, null}, {"p521", "P-521", curve("secp521r1"), "sig", null},
            {"ed", "Ed25519", edwards(), "sig", "EdDSA"}, {"weak", "RSA", rsa(1024), "sig", null},
            {"sealing", "RSA", rsa(2048), "enc", null}, {null, "P-256", curve("secp256r1"), null, null},
        };
        for (Object[] pair : pairs) {
            keys.add(new Key((String) pair[0], (String) pair[1], ((KeyPair) pair[2]).getPrivate()));
            set.add(published((KeyPair) pair[2], (String) pair[0], (String) pair[3], (String) pair[4]));
        }
        keys.add(new Key("rsa1", "RSA", rsa(2048).getPrivate()));  // a stranger's
        set.add(Map.of("kty", "odd", "kid", "odd"));
        String json = org.jose4j.json.JsonUtil.toJson(Map.of("keys", set));
        Path file = Path.of(arguments[0]);
        Files.writeString(file, json);
        System.out.println("keys " + json);
        String[][] rules = {{"-", "-", "scope", "sub"}, {"kafka", "-", "scope", "sub"}, {"other,kafka", "https://id.example", "scope", "sub"},
            {"-", "https://id.example", "email", "email"}};
        for (String[] rule : rules) {
            Map<String, Object> settings = new HashMap<>();
            settings.put("sasl.oauthbearer.jwks.endpoint.url", file.toUri().toString().replace("file:/", "file:///").replace("/////", "///"));
            settings.put("sasl.oauthbearer.clock.skew.seconds", 30);
            settings.put("sasl.oauthbearer.expected.audience", rule[0].equals("-") ? List.of() : List.of(rule[0].split(",")));
            if (!rule[1].equals("-")) settings.put("sasl.oauthbearer.expected.issuer", rule[1]);
            settings.put("sasl.oauthbearer.scope.claim.name", rule[2]);
            settings.put("sasl.oauthbearer.sub.claim.name", rule[3]);
            settings.put("sasl.oauthbearer.jwt.validator.class", "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator");
            OAuthBearerValidatorCallbackHandler handler = new OAuthBearerValidatorCallbackHandler();
            handler.configure(settings, "OAUTHBEARER", List.of(jaas(Map.of())));
            System.out.println("rules " + String.join(" ", rule));
            for (int i = 0; i < 150; ++i) {
                String token = signed(keys);
                String answer = judged(handler, token);
                System.out.println("signed " + token + " " + (answer.startsWith("no") ? "no" : answer));
            }
        }
        for (String scope : new String[] {"", "read", "read write"}) {
            OAuthBearerUnsecuredValidatorCallbackHandler handler = new OAuthBearerUnsecuredValidatorCallbackHandler();
            handler.configure(Map.of(), "OAUTHBEARER", List.of(jaas(scope.isEmpty() ? Map.of() : Map.of("unsecuredValidatorRequiredScope", scope))));
            for (int i = 0; i < 180; ++i) {
                String token = unsecured();
                System.out.println("unsecured " + base64(scope) + " " + token + " " + judged(handler, token));
            }
        }
        for (int i = 0; i < 600; ++i) {
            String message = message();
            String answer;
            try {
                OAuthBearerClientInitialResponse read = new OAuthBearerClientInitialResponse(message.getBytes(StandardCharsets.UTF_8));
                answer = "yes " + base64(read.authorizationId()) + " " + base64(read.tokenValue());
            } catch (Exception e) {
                answer = "no";
            }
            System.out.println("message " + base64(message) + " " + answer);
        }
        System.exit(0);
    }
}
