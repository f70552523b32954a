// What gRPC's own client for Java (io.grpc, over Netty) is answered. Each line of standard input is so many calls, sent at once:
//
//     COUNT PATH DEADLINE_MS ENCODING MESSAGE        the message in base64, ENCODING `identity` or `gzip`
//
// and each call a line of standard output: its status, its request's id, and the answer in base64, or what the status says.
// Arguments: the address, and for TLS the certificate that is trusted.

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

class GrpcCalls {
    static final Metadata.Key<String> REQUEST = Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);

    static class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    static class Told extends ClientCall.Listener<byte[]> {
        final CompletableFuture<String> said = new CompletableFuture<>();
        byte[] answer = new byte[0];

        public void onMessage(byte[] message) {
            answer = message;
        }

        public void onClose(Status status, Metadata trailers) {
            String what = status.isOk() ? Base64.getEncoder().encodeToString(answer) : status.getDescription();
            said.complete(status.getCode() + " " + trailers.get(REQUEST) + " " + what);
        }
    }

    static CompletableFuture<String> call(Channel channel, String path, int milliseconds, String encoding, byte[] message) {
        var method = MethodDescriptor.newBuilder(new Bytes(), new Bytes())
            .setType(MethodDescriptor.MethodType.UNARY).setFullMethodName(path).build();
        var options = CallOptions.DEFAULT.withDeadlineAfter(milliseconds, TimeUnit.MILLISECONDS).withCompression(encoding);
        var call = channel.newCall(method, options);
        var told = new Told();
        call.start(told, new Metadata());
        call.request(2);
        call.sendMessage(message);
        call.halfClose();
        return told.said;
    }

    public static void main(String[] words) throws Exception {
        var builder = NettyChannelBuilder.forTarget(words[0]);
        if (words.length > 1) {
            builder.sslContext(GrpcSslContexts.forClient().trustManager(new File(words[1])).build());
        } else {
            builder.usePlaintext();
        }
        ManagedChannel channel = builder.build();
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] asked = line.split(" ", -1);
            var calls = new ArrayList<CompletableFuture<String>>();
            for (int number = 0; number < Integer.parseInt(asked[0]); number++) {
                byte[] message = Base64.getDecoder().decode(asked[4]);
                calls.add(call(channel, asked[1], Integer.parseInt(asked[2]), asked[3], message));
            }
            for (var call : calls) {
                System.out.println(call.get(60, TimeUnit.SECONDS));
            }
            System.out.flush();
        }
        channel.shutdownNow();
    }
}
