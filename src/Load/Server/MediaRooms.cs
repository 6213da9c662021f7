using System.Net;
using System.Security.Cryptography;
using Voice.Client.WebRtc;
using Voice.Load.Generator;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;

namespace Voice.Load.Server;

/// <summary>Rooms of our media process: the server is told, then ICE and DTLS run, or Discord's UDP protocol.</summary>
/// <param name="loudest">Of each room only so many are heard at a time; null: everybody.</param>
internal sealed class MediaRooms(
    MediaServer server, LoadGenerator generator, IPAddress local, LoadTransport transport, bool speech, int? loudest, CancellationToken cancel) : Rooms(generator, local, speech, cancel)
{
    private const uint OpusClockRate = 48_000;

    /// <summary>Up to this size everybody could talk, as in a voice channel; in larger rooms only the talkers are published.</summary>
    private const int LargestOpenRoom = 25;

    /// <summary>Tells the server of some of a room's people, and of their tracks and subscriptions with all that it knows already.</summary>
    public Task Tell(IReadOnlyCollection<Participant> people, Room room)
    {
        var changes = new List<MediaChange>();
        foreach (var participant in people) changes.Add(new PutTransport(participant.Transport, participant.Worker, PayloadType, Mouths.AudioLevelExtension, PathOf(participant)));
        var group = loudest is null ? 0 : (uint)room.Number + 1;
        if (loudest is { } count) changes.Add(new PutGroup(group, count));
        foreach (var participant in people.Where(IsPublished))
            changes.Add(new PutTrack(participant.Ssrc, participant.Transport, TrackKind.Audio, OpusClockRate, participant.Ssrc, group));
        foreach (var participant in people) participant.IsTold = true;
        var told = room.Participants.Where(other => other.IsTold).ToArray();
        foreach (var talker in told.Where(IsPublished))
        {
            var isNew = people.Contains(talker);
            foreach (var listener in isNew ? told : people)
            {
                if (listener != talker) changes.Add(new PutSubscription(talker.Ssrc, listener.Transport, talker.Ssrc, Gates.None));
            }
        }

        return server.Tell([.. changes], Cancel);

        bool IsPublished(Participant participant) => participant.Talker is not null || room.Participants.Length <= LargestOpenRoom;
    }

    /// <summary>A participant whom the server was told of gets its keys.</summary>
    public async Task Join(Participant participant, Action? joined = null)
    {
        if (transport == LoadTransport.WebRtc)
        {
            await Connect(participant, server.Fingerprint);
        }
        else
        {
            await server.Ready(participant.Transport).WaitAsync(Cancel);
            await Generator.Greet(participant);
            await participant.Reached.Task.WaitAsync(Cancel);
        }

        joined?.Invoke();
    }

    protected override async Task<Task> Enter(Room room, Action? joined)
    {
        await Tell(room.Participants, room);
        return Task.WhenAll(room.Participants.Select(participant => Join(participant, joined)));
    }

    /// <summary>The first ones may talk.</summary>
    protected override Participant[] Make(int room, int size, int talkers)
    {
        var people = new Participant[size];
        for (var i = 0; i < size; i++)
        {
            var participant = people[i] = Open(room, talkers, (room + (size > LargestOpenRoom ? i : 0)) % server.Workers);
            participant.Open(server.EndPoint(participant.Worker));
            if (i < talkers) participant.Talker = MakeTalker(participant, i, size - 1);
        }

        return people;
    }

    private byte PayloadType => transport == LoadTransport.Udp ? Mouths.NativeOpus : Mouths.WebRtcOpus;

    private MediaPath PathOf(Participant participant)
    {
        if (transport == LoadTransport.Udp)
        {
            var key = RandomNumberGenerator.GetBytes(EncryptionModes.KeyLength);
            participant.Keys = new UdpKeys(EncryptionMode.AeadAes256GcmRtpSize, key);
            return new UdpPath(EncryptionMode.AeadAes256GcmRtpSize, key, participant.Ssrc, []);
        }

        var (ours, theirs) = ($"{participant.Transport:x}client", $"{participant.Transport:x}server");
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        participant.Credentials = new(ours, password, theirs, password); // nobody checks us
        return new WebRtcPath(theirs, password, ours, DtlsHandshake.OwnFingerprint, [(ushort)SrtpProfile.AeadAes128Gcm]);
    }
}
