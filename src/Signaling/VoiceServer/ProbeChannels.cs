using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>The hidden channels by which gateways see whether media is forwarded: on each media worker a talker and a listener, in a room of
/// their own that is no guild's. They are in no session, no load and no guild, and are never chosen between: who is always heard takes nobody's
/// place. Part of <see cref="NodeCore"/>.</summary>
internal sealed class ProbeChannels(NodeIdentity node, Numbers numbers)
{
    private const byte OpusPayloadType = 120;

    /// <summary>No guild has this id.</summary>
    private const ulong NoGuild = 0;

    private readonly Dictionary<string, Probe> probes = [];

    /// <summary>Makes the channel, or keeps the one that is there.</summary>
    /// <param name="link">Where the gateway is that asks.</param>
    public ProbeOpened Open(TimeSpan now, long link, string id, SessionMedia media)
    {
        if (!probes.TryGetValue(id, out var probe)) probe = Add(id, media);
        (probe.Link, probe.KeptUntil) = (link, now + ProbeOpen.Lease);
        return probe.Opened;
    }

    /// <summary>The media process cannot serve the transport any more: if it is of a channel, there is another in its place, before its silence
    /// says that media is not forwarded.</summary>
    /// <returns>Whom to tell what; null: it is of none.</returns>
    public ToGateway? Closed(uint transport, SessionMedia media)
    {
        foreach (var (id, probe) in probes)
        {
            if (!probe.Clients.Any(client => client.Transport.Id == transport)) continue;
            Close(id, media);
            var again = Add(id, media);
            (again.Link, again.KeptUntil) = (probe.Link, probe.KeptUntil);
            return new ToGateway(again.Link, again.Opened);
        }

        return null;
    }

    public void Close(string id, SessionMedia media)
    {
        if (!probes.Remove(id, out var probe)) return;
        foreach (var client in probe.Clients) media.Remove(client);
    }

    /// <summary>Drops those that nobody asked for again.</summary>
    public void Tick(TimeSpan now, SessionMedia media)
    {
        foreach (var (id, probe) in probes)
        {
            if (probe.KeptUntil <= now) Close(id, media);
        }
    }

    private Probe Add(string id, SessionMedia media)
    {
        var probe = Make(id);
        probes.Add(id, probe);
        foreach (var client in probe.Clients) media.Add(client);
        return probe;
    }

    private Probe Make(string id)
    {
        var clients = new List<MediaClient>();
        var channels = new ProbeChannel[node.Workers.Length];
        for (var worker = 0; worker < channels.Length; worker++)
        {
            var talker = MakeClient(worker, room: null);
            var listener = MakeClient(worker, talker.Room);
            clients.AddRange([talker, listener]);
            channels[worker] = new ProbeChannel([.. node.Workers[worker].Select(WireAddress.Write)], EndOf(talker), EndOf(listener));
        }

        return new Probe(clients, new ProbeOpened(id, channels));
    }

    private MediaClient MakeClient(int worker, RoomId? room)
    {
        var (id, ssrc) = (numbers.NextTransport(), numbers.NextSsrc());
        var path = new UdpPath(EncryptionMode.AeadAes256GcmRtpSize, numbers.SecretKey(), ssrc, Expected: []);
        var transport = new PutTransport(id, worker, OpusPayloadType, AudioLevelExtension: 0, path);
        return new MediaClient(transport, ssrc, room ?? new RoomId(NoGuild, id), VoiceFlags.None, First: true);
    }

    private static ProbeEnd EndOf(MediaClient client) => new(client.Audio, ((UdpPath)client.Transport.Path).SecretKey);

    private sealed record Probe(List<MediaClient> Clients, ProbeOpened Opened)
    {
        public long Link { get; set; }

        public TimeSpan KeptUntil { get; set; }
    }
}
