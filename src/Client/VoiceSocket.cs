using Voice.Protocol.Voice;

namespace Voice.Client;

/// <summary>One WebSocket to a voice server: whole messages in and out, the heartbeat, and the last sequence number.</summary>
/// <param name="seqAck">Where an earlier socket of the session ended; -1: nothing yet.</param>
internal sealed class VoiceSocket(VoiceClientOptions options, int seqAck) : IDisposable
{
    private const int MaxMessageBytes = 4 * 1024 * 1024;

    private readonly MessageSocket socket = new(
        options.CheckCertificate, MaxMessageBytes, (code, reason, cause) => new VoiceClosedException(code, reason, cause));

    private volatile bool answered = true;

    /// <summary>Of the last numbered message received.</summary>
    public int SeqAck { get; private set; } = seqAck;

    public Task Connect(Uri uri, CancellationToken cancellation) => socket.Connect(uri, cancellation);

    /// <exception cref="VoiceClosedException">The socket ended.</exception>
    public async Task<ServerMessage> Receive()
    {
        var message = ServerMessage.Parse((await socket.Receive()).Span) ?? throw new VoiceClosedException(null, "the voice server sent what is no message");
        if (message.Seq is { } seq) SeqAck = seq;
        if (message is ServerMessage.HeartbeatAck) answered = true;
        return message;
    }

    public Task Send(byte[] frame, CancellationToken cancellation) => socket.Send(frame, cancellation);

    /// <summary>An unanswered one ends the socket.</summary>
    public void StartHeartbeat(TimeSpan interval) => _ = Beat(interval);

    public void Abort() => socket.Abort();

    public Task Close() => socket.Close();

    public void Dispose() => socket.Dispose();

    private async Task Beat(TimeSpan interval)
    {
        var ended = socket.Life;
        try
        {
            await Task.Delay(interval * Random.Shared.NextDouble(), options.Time, ended);
            while (answered)
            {
                answered = false;
                await Send(ClientFrame.Heartbeat(options.Time.GetUtcNow().ToUnixTimeMilliseconds(), SeqAck), ended);
                await Task.Delay(interval, options.Time, ended);
            }

            Abort();
        }
        catch (Exception e) when (e is OperationCanceledException or VoiceClosedException)
        {
            // The reading side sees the end too.
        }
    }
}
