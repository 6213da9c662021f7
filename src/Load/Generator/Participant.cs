using System.Net;
using System.Net.Sockets;
using Voice.Client.WebRtc;
using Voice.Protocol.Srtp;

namespace Voice.Load.Generator;

internal sealed record IceCredentials(string LocalUfrag, string LocalPassword, string RemoteUfrag, string RemotePassword);

/// <summary>One client: its socket, its keys, and what it has heard. After it was added to a generator all but the tasks belong to that one's thread.</summary>
/// <param name="number">From 0, unique; transport id and SSRC follow from it.</param>
/// <param name="talkers">Talkers in its room.</param>
internal sealed class Participant(int number, int room, int talkers, int worker) : IDisposable
{
    private const uint FirstSsrc = 0x0010_0000;
    private const uint SsrcBlock = 8; // as signalling gives them out

    public int Number { get; } = number;

    public int Room { get; } = room;

    /// <summary>Of the media process.</summary>
    public int Worker { get; } = worker;

    public uint Transport => (uint)Number + 1;

    public uint Ssrc => FirstSsrc + (uint)Number * SsrcBlock;

    /// <summary>Of the participant whose SSRC it is.</summary>
    public static int NumberOf(uint ssrc) => (int)((ssrc - FirstSsrc) / SsrcBlock);

    public Socket Socket { get; } = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public int Descriptor { get; private set; }

    public IPEndPoint Server { get; private set; } = new(IPAddress.None, 0);

    /// <summary>Null: only listens.</summary>
    public Talker? Talker { get; set; }

    /// <summary>Stamps heard, by the talker's slot.</summary>
    public ReplayWindow[] Heard { get; } = new ReplayWindow[talkers];

    /// <summary>Where only a part of the room is heard; null elsewhere.</summary>
    public Hearing? Hearing { get; set; }

    /// <summary>Null until there are some.</summary>
    public PacketKeys? Keys { get; set; }

    /// <summary>The server knows of it.</summary>
    public bool IsTold { get; set; }

    /// <summary>Null on Discord's UDP protocol.</summary>
    public IceCredentials? Credentials { get; set; }

    /// <summary>Null on Discord's UDP protocol, and before the first check.</summary>
    public IceClient? Ice { get; set; }

    /// <summary>While the handshake runs.</summary>
    public DtlsInbox? Inbox { get; set; }

    public uint Keepalives { get; set; }

    /// <summary>A check was answered.</summary>
    public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>When the first audio came, in nanoseconds.</summary>
    public TaskCompletionSource<long> FirstAudio { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes a free port of this address.</summary>
    public void Bind(IPAddress local)
    {
        Socket.Bind(new IPEndPoint(local, 0));
        Descriptor = (int)Socket.Handle;
    }

    public void Open(IPEndPoint server)
    {
        Server = server;
        Connect(server);
    }

    /// <summary>From now on only this peer is heard: the server, or what measures the floor.</summary>
    public unsafe void Connect(IPEndPoint peer)
    {
        var address = peer.Serialize();
        fixed (byte* bytes = address.Buffer.Span)
        {
            if (Linux.Libc.connect(Descriptor, bytes, address.Size) != 0) throw new SocketException();
        }
    }

    public void Dispose()
    {
        Inbox?.Close();
        Keys?.Dispose();
        Socket.Dispose();
    }
}
