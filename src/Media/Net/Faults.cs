using System.Runtime.InteropServices;
using Voice.Protocol.Rtp;

namespace Voice.Media.Net;

/// <summary>What a media process does wrong for a drill, from signal to signal. Only one that was started with <c>--faults</c> has any.</summary>
public sealed class Faults : IDisposable
{
    /// <summary>Of a lossy network.</summary>
    private const double Loss = 0.2;

    private const PosixSignal User1 = (PosixSignal)10; // Linux' numbers; .NET names neither
    private const PosixSignal User2 = (PosixSignal)12;

    private readonly PosixSignalRegistration grey;
    private readonly PosixSignalRegistration lossy;
    private volatile bool isGrey;
    private volatile bool isLossy;

    public Faults()
    {
        grey = PosixSignalRegistration.Create(User1, context => (context.Cancel, isGrey) = (true, !isGrey));
        lossy = PosixSignalRegistration.Create(User2, context => (context.Cancel, isLossy) = (true, !isLossy));
    }

    /// <summary>The datagram is to be lost. Grey, it forwards nothing, and answers as ever: checks, discoveries, keepalives.</summary>
    public bool Swallows(ReadOnlySpan<byte> datagram) =>
        (isGrey && Demux.Classify(datagram) is (PacketKind.Rtp or PacketKind.Rtcp)) || (isLossy && Random.Shared.NextDouble() < Loss);

    public void Dispose()
    {
        grey.Dispose();
        lossy.Dispose();
    }
}

/// <summary>A port that loses what <paramref name="faults"/> say.</summary>
internal sealed class FaultyPort(IDatagramPort port, Faults faults) : IDatagramPort
{
    public long ReceivedAt
    {
        get => port.ReceivedAt;
        set => port.ReceivedAt = value;
    }

    public bool TrySend(ReadOnlySpan<byte> datagram, Destination to) => faults.Swallows(datagram) || port.TrySend(datagram, to);
}
