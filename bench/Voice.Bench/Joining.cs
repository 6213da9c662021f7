using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Voice.Client.WebRtc;
using Voice.Media.Dtls;
using Voice.Protocol.Dtls;
using Voice.Protocol.Srtp;

namespace Voice.Bench;

/// <summary>DTLS handshakes of the media process with the .NET client, without a network: what each side's thread costs the processor.</summary>
internal static partial class Joining
{
    private const int WarmUp = 300;
    private const int Measured = 2_000;

    public static void Run()
    {
        using var identity = DtlsCredentials.Make(DateTimeOffset.UtcNow);
        Handshakes(WarmUp, identity);
        var (server, client) = Handshakes(Measured, identity);
        Print("server", server);
        Print("client", client);
    }

    private static (TimeSpan Server, TimeSpan Client) Handshakes(int count, DtlsCredentials identity)
    {
        using var sessions = new BlockingCollection<DtlsSession>();
        var serverTime = TimeSpan.Zero;
        var server = new Thread(() =>
        {
            var before = ThreadTime();
            foreach (var session in sessions.GetConsumingEnumerable()) session.Handshake();
            serverTime = ThreadTime() - before;
        });
        server.Name = "server";
        server.Start();

        var began = ThreadTime();
        for (var i = 0; i < count; i++)
        {
            DtlsSession session = null!;
            var inbox = new DtlsInbox(datagram => session.TryDeliver(datagram));
            session = new DtlsSession(identity, new DtlsPeer(
                DtlsHandshake.OwnFingerprint, [(ushort)SrtpProfile.AeadAes128Gcm], datagram => inbox.Deliver(datagram), _ => { },
                reason => throw new UnreachableException($"{reason}")));
            sessions.Add(session);
            DtlsHandshake.Run(inbox, identity.Fingerprint);
        }

        var clientTime = ThreadTime() - began;
        sessions.CompleteAdding();
        server.Join();
        return (serverTime / count, clientTime / count);
    }

    private static void Print(string side, TimeSpan each) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{side}: {each.TotalMicroseconds:0} us of one core each, {1 / each.TotalSeconds:0} a second"));

    private static TimeSpan ThreadTime()
    {
        const int threadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID
        GetTime(threadCpuTime, out var time);
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    private readonly record struct Time(long Seconds, long Nanoseconds);
}
