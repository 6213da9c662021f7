using System.Text.Json;
using Voice.Protocol.Gateway;

namespace Voice.Client;

/// <summary>One WebSocket to the main gateway: whole messages in and out, and the heartbeat.</summary>
internal sealed class GatewaySocket(GatewayClientOptions options) : IDisposable
{
    private const int MaxMessageBytes = 64 * 1024 * 1024;

    private static readonly JsonElement Null = JsonElement.Parse("null");

    private readonly MessageSocket _socket = new(
        options.CheckCertificate, MaxMessageBytes, (code, reason, cause) => new GatewayClosedException(code, reason, cause));

    private readonly TimeProvider _time = options.Time;
    private volatile bool _answered = true;

    public Task Connect(Uri uri, CancellationToken cancellation) => _socket.Connect(uri, cancellation);

    /// <exception cref="GatewayClosedException">The socket ended.</exception>
    public async Task<GatewayMessage> Receive()
    {
        var message = await _socket.Receive();
        try
        {
            return JsonSerializer.Deserialize(message.Span, GatewayJson.Default.GatewayMessage)!;
        }
        catch (JsonException e)
        {
            throw new GatewayClosedException(null, e.Message, e);
        }
    }

    public Task Send(GatewayOpcode op, object? data, CancellationToken cancellation)
    {
        var d = data is null ? Null : JsonSerializer.SerializeToElement(data, data.GetType(), GatewayJson.Default);
        return _socket.Send(JsonSerializer.SerializeToUtf8Bytes(new GatewayMessage(op) { D = d }, GatewayJson.Default.GatewayMessage), cancellation);
    }

    /// <summary>The first after a random part of the interval, so that clients which lost one server do not beat together.
    /// An unanswered one ends the socket.</summary>
    public void StartHeartbeat(TimeSpan interval, Func<int> sequence) => _ = Beat(interval, sequence);

    public void HeartbeatAnswered() => _answered = true;

    public void Abort() => _socket.Abort();

    /// <summary>Says goodbye with 1000, and goes if it is not answered.</summary>
    public Task Close() => _socket.Close();

    public void Dispose() => _socket.Dispose();

    private async Task Beat(TimeSpan interval, Func<int> sequence)
    {
        var ended = _socket.Life;
        try
        {
            await Task.Delay(interval * Random.Shared.NextDouble(), _time, ended);
            while (_answered)
            {
                _answered = false;
                await Send(GatewayOpcode.Heartbeat, sequence(), ended);
                await Task.Delay(interval, _time, ended);
            }

            Abort();
        }
        catch (Exception e) when (e is OperationCanceledException or GatewayClosedException)
        {
            // The reading side sees the end too.
        }
    }
}
