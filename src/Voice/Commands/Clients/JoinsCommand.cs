using System.CommandLine;
using System.Diagnostics;
using Voice.Client;
using Voice.Protocol.Ogg;

namespace Voice.Commands.Clients;

/// <summary>Measures how long it takes to be in: from op 4 sent to the first audio heard of somebody who talks all the time.</summary>
internal static class JoinsCommand
{
    /// <summary>A gateway takes 120 messages a minute of a connection: a join and a leave are two, and heartbeats come between.</summary>
    private const int JoinsPerConnection = 50;

    private static readonly TimeSpan HearTimeout = TimeSpan.FromSeconds(15);

    public static Command Create()
    {
        var command = new Command("joins", "Measure joining: from op 4 sent to first audio heard, many times.");
        var settings = new ClientSettings(command);
        var count = settings.Settings.Number("count", "joins to measure", 200, 1, 100_000);
        var talkerToken = settings.Settings.OptionalText("talker-token", "token of another account, which talks meanwhile; without one, a guest");
        command.SetRun((parsed, cancel) => Run(settings.Read(parsed), parsed.GetValue(talkerToken), parsed.GetValue(count), cancel));
        return command;
    }

    private static async Task<int> Run(ClientRequest request, string? talkerToken, int count, CancellationToken cancellation)
    {
        await using var talker = await ClientSession.OpenAsync(request with { Token = talkerToken, Name = "Talker" }, cancellation);
        await using var voice = await talker.JoinAsync(request.Voice, cancellation);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var talking = Talk(voice, enough.Token);

        var times = new List<TimeSpan>(count);
        if (request.Token is null)
        {
            using var login = new Login(request.Gateway, request.CheckCertificate);
            request = request with { Token = await login.AsGuest("Joiner", cancellation) };
        }

        try
        {
            while (times.Count < count)
            {
                await using var joiner = await ClientSession.OpenAsync(request, cancellation);
                for (var i = 0; i < JoinsPerConnection && times.Count < count; i++)
                {
                    if (talking.IsCompleted) await talking;
                    times.Add(await Measure(joiner, request.Voice, cancellation));
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // What was measured so far is told.
        }

        await enough.CancelAsync();
        await Task.WhenAny(talking);
        Tell(times, request.Voice.Transport);
        return times.Count == count ? 0 : 1;
    }

    private static async Task<TimeSpan> Measure(ClientSession joiner, VoiceClientOptions options, CancellationToken cancellation)
    {
        var heard = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = Stopwatch.GetTimestamp();
        await using var voice = await joiner.JoinAsync(
            options with { SelfMute = true, OnFrame = (in frame, _) => heard.TrySetResult(frame.Arrival) }, cancellation);
        try
        {
            return Stopwatch.GetElapsedTime(started, await heard.Task.WaitAsync(HearTimeout, cancellation));
        }
        catch (TimeoutException)
        {
            throw new ClientException($"joined, and heard nothing for {HearTimeout.TotalSeconds:0} s of somebody who talks");
        }
    }

    /// <summary>Packets of CELT that nobody decodes.</summary>
    private static Task Talk(VoiceClient voice, CancellationToken cancellation)
    {
        return OpusPlayer.PlayAsync(voice, Packets(), cancellation: cancellation);

        static async IAsyncEnumerable<OpusPacket> Packets()
        {
            var packet = new byte[80];
            packet[0] = 0xF8;
            await Task.CompletedTask;
            while (true) yield return new OpusPacket(packet, OpusToc.SilenceSamples);
        }
    }

    private static void Tell(List<TimeSpan> times, VoiceTransport transport)
    {
        if (times.Count == 0) return;
        times.Sort();
        Console.WriteLine($"{times.Count} joins over {transport.Name()}, op 4 sent to first audio heard: "
            + $"p50 {Milliseconds(0.50)}, p90 {Milliseconds(0.90)}, p99 {Milliseconds(0.99)}, max {Milliseconds(1)} ms");

        string Milliseconds(double share) => times[Math.Max(0, (int)Math.Ceiling(share * times.Count) - 1)].TotalMilliseconds.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);
    }
}
