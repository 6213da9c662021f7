using System.Buffers.Binary;
using System.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>Which transport each session has its media on, and what the media process is told of it. Part of <see cref="NodeCore"/>.</summary>
internal sealed class SessionMedia(NodeIdentity node, Numbers numbers, Outbox outbox)
{
    private const byte DefaultOpusPayloadType = 120;
    private const byte NativeAudioLevelExtension = 1; // udp-media.md section 4

    private readonly bool servesThisMachine = node.Workers.Any(worker => worker.Any(announced => IsLoopback(announced.Address)));
    private readonly MediaPlan plan = new(node.Loudest);
    private readonly Dictionary<uint, VoiceSession> byTransport = [];
    private readonly Dictionary<uint, byte[]> descriptions = []; // that wait for the media process to have the transport

    /// <summary>A media process runs and was told everything.</summary>
    public bool IsReady { get; private set; }

    public VoiceSession? Owner(uint transport) => byTransport.GetValueOrDefault(transport);

    /// <summary>A media process came up: it is told everything.</summary>
    public void Start()
    {
        IsReady = true;
        outbox.Add(new ToMedia(plan.TakeSnapshot(node.Dtls.Certificate, node.Dtls.PrivateKey)));
    }

    /// <summary>Another media process waits to take over: it is told everything beforehand, and what changes until then.</summary>
    public void Draft()
    {
        if (!IsReady) return;
        Tell();
        outbox.Add(new ToMedia(plan.TakeDraft(node.Dtls.Certificate, node.Dtls.PrivateKey)));
    }

    /// <summary>Those whose keys the process that took over does not have.</summary>
    public VoiceSession[] MissedByDraft() => [.. byTransport.Where(owned => plan.IsMissedByDraft(owned.Key)).Select(owned => owned.Value)];

    /// <summary>The media process is gone.</summary>
    /// <returns>Whose handshake it had: nobody can go on with that.</returns>
    public VoiceSession[] Lose()
    {
        if (!IsReady) return [];
        IsReady = false;
        return [.. byTransport.Where(owned => plan.IsInHandshake(owned.Key)).Select(owned => owned.Value)];
    }

    /// <summary>Those whom an earlier media process served.</summary>
    public VoiceSession[] Served() => [.. byTransport.Where(owned => plan.IsServed(owned.Key)).Select(owned => owned.Value)];

    /// <summary>A browser's handshake is done.</summary>
    public void Connected(TransportConnected connected) =>
        plan.Served(connected.Id, new ResumedMedia(connected.Profile, connected.KeyingMaterial, connected.RemoteAddress));

    /// <summary>Tells the media process what changed since it was last told.</summary>
    public void Tell()
    {
        if (IsReady && plan.TakeDelta() is { } delta) outbox.Add(new ToMedia(delta));
    }

    /// <summary>Gives the session a new transport, in place of the one that it had, and describes it to the client: at once to a browser,
    /// which has a handshake before it, to a UDP client when its packets can be taken.</summary>
    /// <param name="from">Address that the client's WebSocket comes from.</param>
    /// <returns>Why not; null if it was done.</returns>
    public Refused? Select(VoiceSession session, SelectProtocol select, IPAddress? from) => select.Protocol switch
    {
        SelectProtocol.WebRtc => SelectWebRtc(session, select),
        SelectProtocol.Udp => SelectUdp(session, select, select.Target!, from),
        _ => new Refused(VoiceCloseCode.UnknownProtocol, "only webrtc and udp are served"),
    };

    /// <summary>The media process takes the packets of a UDP client, which may be told how to send them.</summary>
    public void Ready(uint transport)
    {
        plan.Served(transport, new ResumedMedia(0, [], []));
        if (descriptions.Remove(transport, out var description)) Describe(byTransport[transport], description);
    }

    /// <summary>A client that is no session's.</summary>
    public void Add(MediaClient client) => plan.Add(client);

    public void Remove(MediaClient client) => plan.Remove(client.Transport.Id);

    public void SetFlags(VoiceSession session)
    {
        if (session.Transport is { } transport) plan.SetFlags(transport, session.Flags, session.SpeaksFirst);
    }

    public void Stop(VoiceSession session)
    {
        if (session.Transport is not { } transport) return;
        plan.Remove(transport);
        byTransport.Remove(transport);
        descriptions.Remove(transport);
        session.Transport = null;
    }

    private Refused? SelectWebRtc(VoiceSession session, SelectProtocol select)
    {
        if (SdpFragment.Parse(select.Fragment, out var refusal) is not { } client)
            return new Refused(VoiceCloseCode.BadRequest, $"SDP refused: {refusal}");

        var id = numbers.NextTransport();
        var path = new WebRtcPath(numbers.IceUfrag(id), numbers.IcePassword(), client.IceUfrag, client.Fingerprint, node.SrtpProfiles);
        var worker = session.Worker;
        Put(session, new PutTransport(id, worker, client.OpusPayloadType ?? ListedOpus(select), client.AudioLevelExtension, path));
        var answer = new ServerSdp(path.LocalUfrag, path.LocalPassword, node.Dtls.Fingerprint, node.Workers[worker]);
        Describe(session, ServerFrame.Description(new SessionDescription(answer.Write(), numbers.MediaSessionId())));
        return null;
    }

    private Refused? SelectUdp(VoiceSession session, SelectProtocol select, UdpTarget target, IPAddress? from)
    {
        if (EncryptionModes.Find(target.Mode, node.Modes) is not { } mode)
            return new Refused(VoiceCloseCode.UnknownEncryptionMode, "encryption mode not offered");

        // A fresh key for each selection: whatever counted packets under the old one counts from the start.
        var key = numbers.SecretKey();
        var path = new UdpPath(mode, key, session.Ssrc, Expected(target, from));
        var id = numbers.NextTransport();
        Put(session, new PutTransport(id, session.Worker, ListedOpus(select), NativeAudioLevelExtension, path));
        descriptions.Add(id, ServerFrame.Description(
            new UdpSessionDescription(mode.Name(), [.. key.Select(octet => (int)octet)], numbers.MediaSessionId())));
        return null;
    }

    private static void Describe(VoiceSession session, byte[] description)
    {
        session.SendOnce(description);
        session.Room.Describe(session);
    }

    private void Put(VoiceSession session, PutTransport transport)
    {
        Stop(session);
        session.Transport = transport.Id;
        byTransport.Add(transport.Id, session);
        plan.Add(new MediaClient(transport, session.Ssrc, session.Room.Id, session.Flags, session.SpeaksFirst));
    }

    /// <summary>64 to 95 would be read as RTCP (RFC 5761 section 4).</summary>
    private static byte ListedOpus(SelectProtocol select) =>
        select.OpusPayloadType is (>= 0 and < 64 or > 95 and < 128) and var listed ? (byte)listed : DefaultOpusPayloadType;

    /// <summary>What the client says its media comes from, in the media link's form, if its WebSocket comes from the same address:
    /// that one was proved by TCP, so nobody can have media sent to a stranger. Else empty. A loopback address is that of a proxy on this
    /// machine, and would let any client have media sent to this machine's services, unless clients are here too.</summary>
    private byte[] Expected(UdpTarget target, IPAddress? from)
    {
        if (from is null || !IPAddress.TryParse(target.Address, out var said) || target.Port is < 1 or > IPEndPoint.MaxPort) return [];
        var address = said.MapToIPv6();
        if (!address.Equals(from.MapToIPv6()) || (IsLoopback(address) && !servesThisMachine)) return [];
        var expected = new byte[18];
        address.TryWriteBytes(expected, out var length);
        BinaryPrimitives.WriteUInt16BigEndian(expected.AsSpan(length), (ushort)target.Port);
        return expected;
    }

    private static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
