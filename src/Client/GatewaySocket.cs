using System.Text.Json;
using Voice.Protocol.Gateway;

namespace Voice.Client;

/// <summary>One WebSocket to the main gateway: whole messages in and out, and the heartbeat.</summary>
internal sealed class GatewaySocket(GatewayClientOptions options) : IDisposable
{
    private const int MaxMessageBytes = 64 * 1024 * 1024;

    private static readonly JsonElement Null = JsonElement.Parse("null");

    private readonly MessageSocket socket = new(
        options.CheckCertificate, MaxMessageBytes, (code, reason, cause) => new GatewayClosedException(code, reason, cause));

    public Task Connect(Uri uri, CancellationToken cancellation) => socket.Connect(uri, cancellation);

    /// <exception cref="GatewayClosedException">The socket ended.</exception>
    public async Task<GatewayMessage> Receive()
    {
        var message = await socket.Receive();
        try
        {
            return JsonSerializer.Deserialize(message.Span, GatewayJson.Default.GatewayMessage) ?? throw new GatewayClosedException(null, "null is no message");
        }
        catch (JsonException e)
        {
            throw new GatewayClosedException(null, e.Message, e);
        }
    }

    public Task Send(GatewayOpcode op, object? data, CancellationToken cancellation) => socket.Send(Write(op, data), cancellation);

    public void StartHeartbeat(TimeSpan interval, Func<int> sequence) =>
        socket.StartHeartbeat(interval, options.Time, () => Write(GatewayOpcode.Heartbeat, sequence()));

    public void HeartbeatAnswered() => socket.HeartbeatAnswered();

    public void Abort() => socket.Abort();

    /// <summary>Says goodbye with 1000, and goes if it is not answered.</summary>
    public Task Close() => socket.Close();

    public void Dispose() => socket.Dispose();

    private static byte[] Write(GatewayOpcode op, object? data)
    {
        var d = data is null ? Null : JsonSerializer.SerializeToElement(data, data.GetType(), GatewayJson.Default);
        return JsonSerializer.SerializeToUtf8Bytes(new GatewayMessage(op) { D = d }, GatewayJson.Default.GatewayMessage);
    }
}
