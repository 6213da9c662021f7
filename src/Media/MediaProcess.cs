using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;
using Voice.Media.Checkpoints;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Media.Rings;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;

namespace Voice.Media;

/// <summary>The process behind <c>voice media</c>: the SFU, told what to do over the media link.</summary>
public static class MediaProcess
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);

    /// <summary>Runs until the link ends.</summary>
    /// <param name="log">One line for each thing that goes wrong on the link, and if libsodium is missing; nothing else.</param>
    /// <returns>The exit code: 0 when the link ended, 1 after a protocol error or with descriptors that are not what they
    /// should be.</returns>
    public static async Task<int> RunAsync(MediaProcessOptions options, TextWriter log, CancellationToken cancel = default)
    {
        // No blocking collections in the middle of a packet, if it can be helped: next to nothing is allocated here.
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
        var lines = TextWriter.Synchronized(log);
        try
        {
            if (!EncryptionMode.AeadXChaCha20Poly1305RtpSize.IsSupported)
            {
                await lines.WriteLineAsync("voice media: libsodium is not found here: native clients are offered AES-GCM only");
            }
            using var socket = new Socket(new SafeSocketHandle(options.Link, ownsHandle: true));
            await using var stream = new NetworkStream(socket);
            var memory = options.Memory is { } inherited
                ? CheckpointMemory.Map(new SafeFileHandle(inherited, ownsHandle: true), options.Udp.Length)
                : CheckpointMemory.Private(options.Udp.Length);
            using var media = new MediaLinkSession(
                stream, options.Udp.Select(udp => UdpPort.Inherited(udp)), memory, options.Faults ? new Faults() : null, lines);
            await media.RunAsync(cancel);
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (IOException)
        {
            return 0; // the node is gone: its end of the link was reset, not closed
        }
        catch (Exception e) when (e is InvalidDataException or SocketException or UnauthorizedAccessException)
        {
            await lines.WriteLineAsync($"voice media: {e.Message}");
            return 1;
        }
    }

    /// <summary>The link and the workers it feeds.</summary>
    private sealed class MediaLinkSession : IDisposable
    {
        private readonly LinkConnection<MediaEvent, MediaCommand> link;
        private readonly Faults? faults;
        private readonly DtlsServer dtls = new();
        private readonly WorkerLoop[] workers;
        private readonly WorkerPlan plan;
        private readonly CheckpointMemory memory;
        private readonly Channel<MediaEvent> events = Channel.CreateUnbounded<MediaEvent>(new() { SingleReader = true });
        private long revision = -1;
        private volatile bool serving;
        private int? before;
        private TimeSpan pausedBefore;
        private double longestPause;

        public MediaLinkSession(Stream stream, IEnumerable<Socket[]> sockets, CheckpointMemory memory, Faults? faults, TextWriter log)
        {
            (this.memory, this.faults) = (memory, faults);
            link = new(new StreamPipe(stream), MediaLink.MaxFrame);
            Socket[][] opened = [.. sockets];
            var rings = new WorkerRings(opened.Length);
            workers = [.. opened.Select((own, i) => new WorkerLoop(
                i, own, dtls, rings, memory.Of(i), Tell, line => log.WriteLine($"voice media: {line}"), faults))];
            plan = new(workers.Length);
        }

        public async Task RunAsync(CancellationToken cancel)
        {
            Tell(new MediaReady(Environment.ProcessId, workers.Length, memory.IsReadable));
            Practice.Start(() => Volatile.Read(ref revision) >= 0, () => Tell(new MediaWarm()));

            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var sending = SendAsync(ending.Token);
            var reporting = ReportAsync(ending.Token);
            try
            {
                await foreach (var command in link.ReceiveAsync(cancel)) Apply(command);
            }
            finally
            {
                await ending.CancelAsync();
                await Task.WhenAll(Ended(sending), Ended(reporting));
            }
        }

        public void Dispose()
        {
            dtls.Dispose();
            foreach (var worker in workers) worker.Dispose();
            link.Dispose();
            faults?.Dispose();
        }

        private void Apply(MediaCommand command)
        {
            switch (command)
            {
                case MediaSnapshot snapshot:
                    dtls.Identity = new(snapshot.DtlsCertificate, snapshot.DtlsPrivateKey);
                    var whole = plan.SplitWhole(snapshot.Changes);
                    for (var i = 0; i < workers.Length; i++) workers[i].Begin(whole[i]);
                    Volatile.Write(ref revision, snapshot.Revision);
                    if (snapshot.IsDraft) Follow();
                    else Serve();
                    break;
                case MediaFollow follow:
                    before = follow.ProcessId;
                    break;
                case MediaStart:
                    if (revision < 0) throw new InvalidDataException("the start came before the first snapshot");
                    Serve();
                    break;
                case MediaStop:
                    foreach (var worker in workers) worker.Stop();
                    foreach (var worker in workers) worker.Stopped();
                    foreach (var worker in workers) worker.Worker.Retire();
                    Tell(new MediaStopped());
                    break;
                case MediaDelta delta:
                    if (revision < 0) throw new InvalidDataException("a delta came before the first snapshot");
                    if (delta.Revision != revision + 1) throw new InvalidDataException($"revision {delta.Revision} came after {revision}");
                    var parts = plan.Split(delta.Changes);
                    for (var i = 0; i < workers.Length; i++)
                    {
                        if (parts[i].Count > 0) workers[i].Apply(parts[i]);
                    }
                    Volatile.Write(ref revision, delta.Revision);
                    break;
            }
        }

        private void Follow()
        {
            if (before is not { } process || serving) throw new InvalidDataException("a draft for nobody who waits");
            foreach (var worker in workers) worker.Follow(process);
            Tell(new MediaHeld());
        }

        /// <summary>The sockets may have been another process's until now. What was told before waits in the workers' mailboxes, where what that process left
        /// is read after it stopped; what it was told last has come, too.</summary>
        private void Serve()
        {
            foreach (var worker in workers) worker.Settle();
            if (serving) return;
            serving = true;
            foreach (var worker in workers) worker.StartFirst();
        }

        /// <summary>Any thread.</summary>
        private void Tell(MediaEvent message) => events.Writer.TryWrite(message);

        private async Task SendAsync(CancellationToken cancel)
        {
            await foreach (var message in events.Reader.ReadAllAsync(cancel)) await link.SendAsync(message, cancel);
        }

        private async Task ReportAsync(CancellationToken cancel)
        {
            using var process = Process.GetCurrentProcess();
            using var timer = new PeriodicTimer(ReportInterval);
            while (await timer.WaitForNextTickAsync(cancel))
            {
                if (!serving) continue;
                process.Refresh();
                Tell(Report(process.TotalProcessorTime.TotalSeconds));
            }
        }

        private MediaReport Report(double cpuSeconds)
        {
            var drops = new Dictionary<string, long>();
            foreach (var worker in workers) worker.Worker.Counters.AddDropsTo(drops);
            return new(
                Volatile.Read(ref revision),
                cpuSeconds,
                drops,
                workers.Sum(worker => worker.Worker.Counters.DiscoveriesAnswered),
                [.. workers.Select(worker => worker.Worker.Counters.Report())],
                Memory());
        }

        private MemoryReport Memory()
        {
            var paused = GC.GetTotalPauseDuration();
            longestPause = Math.Max(longestPause, (paused - pausedBefore).TotalMilliseconds);
            pausedBefore = paused;
            return new(GC.GetTotalAllocatedBytes(), GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2), longestPause, paused.TotalMilliseconds);
        }

        /// <summary>Both tasks end with the link: cancelled, or because it does not take another byte.</summary>
        private static async Task Ended(Task task)
        {
            try
            {
                await task;
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
            }
        }
    }
}
