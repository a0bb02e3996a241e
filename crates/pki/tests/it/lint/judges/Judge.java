import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** What Java's PKIX trust manager and host name checker say of each chain in a folder. */
class Judge {
    public static void main(String[] arguments) throws Exception {
        List<Path> folders;
        try (Stream<Path> list = Files.list(Path.of(arguments[0]))) {
            folders = list.sorted().toList();
        }
        for (Path folder : folders) {
            String said = "ok";
            try {
                verify(folder, arguments[1]);
            } catch (Exception error) {
                Throwable cause = error;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                said = String.valueOf(cause.getMessage()).replace('\n', ' ');
            }
            System.out.println(folder.getFileName() + "\t" + said);
        }
    }

    static void verify(Path folder, String host) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("root", read(folder.resolve("root.pem")));
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(trusted);
        X509Certificate[] chain = {
            read(folder.resolve("leaf.pem")), read(folder.resolve("intermediate.pem"))
        };
        for (TrustManager manager : factory.getTrustManagers()) {
            ((X509TrustManager) manager).checkServerTrusted(chain, "ECDHE_ECDSA");
        }
        sun.security.util.HostnameChecker.getInstance(sun.security.util.HostnameChecker.TYPE_TLS)
                .match(host, chain[0]);
    }

    static X509Certificate read(Path file) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        return (X509Certificate) factory.generateCertificate(
                new ByteArrayInputStream(Files.readAllBytes(file)));
    }
}
