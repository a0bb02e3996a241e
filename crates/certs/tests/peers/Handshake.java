// Opens a TLS connection to a port of this machine as Java does by itself, and says whether it
// trusts whom it meets there:
//
//     java -Djavax.net.ssl.trustStore=KEYSTORE Handshake.java PORT NAME
//
// "trusted", or "refused: " and why.

import java.net.Socket;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

public class Handshake {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        var sockets = (SSLSocketFactory) SSLSocketFactory.getDefault();
        try (var tcp = new Socket("127.0.0.1", port);
                var tls = (SSLSocket) sockets.createSocket(tcp, arguments[1], port, true)) {
            var parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            System.out.println("trusted");
        } catch (SSLHandshakeException error) {
            System.out.println("refused: " + error.getMessage());
        }
    }
}
