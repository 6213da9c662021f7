using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Voice.EndToEnd.Discord;

/// <summary>A TCP port between a client and a server, for tests that break the connection where neither looks for it.</summary>
public sealed class Forwarder : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> open = [];
    private readonly TaskCompletionSource<IPEndPoint> target = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task accepting;
    private TaskCompletionSource through = new();

    public Forwarder()
    {
        listener.Start();
        through.SetResult();
        accepting = Accept();
    }

    /// <summary>host:port that it listens on.</summary>
    public string Address => listener.LocalEndpoint.ToString()!;

    /// <summary>Where connections lead, once it is known; they wait until then.</summary>
    public void LeadTo(string endpoint) => target.TrySetResult(IPEndPoint.Parse(endpoint));

    /// <summary>Breaks every connection, as a lost network does; new ones wait until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        through = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (open.TryTake(out var connection))
        {
            if (connection.Client is { } socket) socket.LingerState = new LingerOption(true, 0); // a reset, not a goodbye
            connection.Dispose();
        }
    }

    public void Mend() => through.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        Cut();
        target.TrySetCanceled();
        Mend();
        await accepting;
        listener.Dispose();
    }

    private async Task Accept()
    {
        var running = new List<Task>();
        try
        {
            while (true) running.Add(Forward(await listener.AcceptTcpClientAsync()));
        }
        catch (SocketException)
        {
            await Task.WhenAll(running); // stopped
        }
    }

    private async Task Forward(TcpClient client)
    {
        var server = new TcpClient();
        open.Add(client);
        open.Add(server);
        try
        {
            await through.Task;
            await server.ConnectAsync(await target.Task);
            await Task.WhenAny(Copy(client, server), Copy(server, client));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut before it was through.
        }

        client.Dispose();
        server.Dispose();
    }

    private static async Task Copy(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream());
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut, or the other side ended.
        }
    }
}
