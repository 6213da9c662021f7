using Voice.Protocol.Voice;

namespace Voice.Client;

/// <summary>One WebSocket to a voice server: whole messages in and out, the heartbeat, and the last sequence number.</summary>
/// <param name="seqAck">Where an earlier socket of the session ended; -1: nothing yet.</param>
internal sealed class VoiceSocket(VoiceClientOptions options, int seqAck) : IDisposable
{
    private const int MaxMessageBytes = 4 * 1024 * 1024;

    private readonly MessageSocket socket = new(
        options.CheckCertificate, MaxMessageBytes, (code, reason, cause) => new VoiceClosedException(code, reason, cause));

    /// <summary>Of the last numbered message received.</summary>
    public int SeqAck { get; private set; } = seqAck;

    public Task Connect(Uri uri, CancellationToken cancellation) => socket.Connect(uri, cancellation);

    /// <summary>The next message that can be read; others are passed over.</summary>
    /// <exception cref="VoiceClosedException">The socket ended.</exception>
    public async Task<ServerMessage> Receive()
    {
        while (true)
        {
            if (ServerMessage.Parse((await socket.Receive()).Span) is not { } message) continue;
            if (message.Seq is { } seq) SeqAck = seq;
            if (message is ServerMessage.HeartbeatAck) socket.HeartbeatAnswered();
            return message;
        }
    }

    public Task Send(byte[] frame, CancellationToken cancellation) => socket.Send(frame, cancellation);

    public void StartHeartbeat(TimeSpan interval) =>
        socket.StartHeartbeat(interval, options.Time, () => ClientFrame.Heartbeat(options.Time.GetUtcNow().ToUnixTimeMilliseconds(), SeqAck));

    public void Abort() => socket.Abort();

    public Task Close() => socket.Close();

    public void Dispose() => socket.Dispose();
}
