using System.Net;
using System.Security.Cryptography;
using Voice.Client.WebRtc;
using Voice.Load.Generator;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;

namespace Voice.Load.Server;

/// <summary>How participants send and receive.</summary>
public enum LoadTransport
{
    WebRtc = 0,
    Udp,
}

/// <summary>One room: its first participants may talk.</summary>
internal sealed record Room(int Number, Participant[] Participants)
{
    public IEnumerable<Talker> Talkers => Participants.Select(participant => participant.Talker).OfType<Talker>();
}

/// <summary>Makes rooms and lets people join them: the server is told, then ICE and DTLS run, or Discord's UDP protocol.</summary>
internal sealed class Rooms(MediaServer server, LoadGenerator generator, LoadTransport transport, bool speech, CancellationToken cancel) : IDisposable
{
    private const uint OpusClockRate = 48_000;

    /// <summary>Up to this size everybody could talk, as in a voice channel; in larger rooms only the talkers are published.</summary>
    private const int LargestOpenRoom = 25;

    private const int ParallelHandshakes = 32;

    private readonly Random random = new(20);
    private readonly SemaphoreSlim handshakes = new(ParallelHandshakes);
    private readonly List<Room> rooms = [];
    private int participants;

    public IReadOnlyList<Room> All => rooms;

    public int Participants => participants;

    /// <summary>Adds rooms and waits until all are in them.</summary>
    /// <param name="joined">Told after each participant how many are in.</param>
    public async Task Add(int count, int size, int talkers, Action<int>? joined = null)
    {
        var running = new List<Task>();
        for (var i = 0; i < count; i++)
        {
            var room = Make(size, talkers);
            await Tell(room.Participants, room);
            running.AddRange(room.Participants.Select(participant => Join(participant, joined)));
        }

        await Task.WhenAll(running);
    }

    /// <summary>A room whose people are known but not in it.</summary>
    public Room Make(int size, int talkers)
    {
        var number = rooms.Count;
        var people = new Participant[size];
        for (var i = 0; i < size; i++)
        {
            var participant = people[i] = new Participant(participants++, number, talkers, (number + (size > LargestOpenRoom ? i : 0)) % server.Workers);
            participant.Open(new IPEndPoint(server.EndPoint(0).Address, 0), server.EndPoint(participant.Worker));
            if (i < talkers) participant.Talker = MakeTalker(participant, i, size - 1);
            generator.Add(participant);
        }

        var room = new Room(number, people);
        rooms.Add(room);
        return room;
    }

    /// <summary>Tells the server of some of a room's people, and of their tracks and subscriptions with all that it knows already.</summary>
    public Task Tell(IReadOnlyCollection<Participant> people, Room room)
    {
        var changes = new List<MediaChange>();
        foreach (var participant in people) changes.Add(new PutTransport(participant.Transport, participant.Worker, PayloadType, Mouths.AudioLevelExtension, PathOf(participant)));
        foreach (var participant in people.Where(IsPublished))
            changes.Add(new PutTrack(participant.Ssrc, participant.Transport, TrackKind.Audio, OpusClockRate, participant.Ssrc));
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

        return server.Tell([.. changes], cancel);

        bool IsPublished(Participant participant) => participant.Talker is not null || room.Participants.Length <= LargestOpenRoom;
    }

    /// <summary>A participant whom the server was told of gets its keys.</summary>
    public async Task Join(Participant participant, Action<int>? joined = null)
    {
        if (transport == LoadTransport.Udp) await JoinUdp(participant);
        else await JoinWebRtc(participant);
        joined?.Invoke(1);
    }

    public void Dispose() => handshakes.Dispose();

    private byte PayloadType => transport == LoadTransport.Udp ? Mouths.NativeOpus : Mouths.WebRtcOpus;

    private Talker MakeTalker(Participant participant, int slot, int listeners) => new(participant, slot, listeners, random.NextInt64(Talker.FrameNanoseconds))
    {
        FirstIndex = (ulong)random.Next(1, 1 << 15), // RFC 3711 section 3.3.1
        Speech = speech ? new SpeechModel(new Random(participant.Number)) : null,
    };

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
        participant.Credentials = new(ours, theirs, password);
        return new WebRtcPath(theirs, password, ours, DtlsHandshake.OwnFingerprint, [(ushort)SrtpProfile.AeadAes128Gcm]);
    }

    private async Task JoinUdp(Participant participant)
    {
        await server.Ready(participant.Transport).WaitAsync(cancel);
        await generator.Greet(participant);
        await participant.Reached.Task.WaitAsync(cancel);
    }

    private async Task JoinWebRtc(Participant participant)
    {
        await handshakes.WaitAsync(cancel);
        try
        {
            await generator.Check(participant);
            await participant.Reached.Task.WaitAsync(cancel);
            var (profile, material, _) = await DtlsHandshake.RunAsync(participant.Inbox!, server.Fingerprint, cancel);
            await generator.Do(() =>
            {
                participant.Keys = new SrtpKeys(new SrtpKeyingMaterial(profile, material));
                participant.Inbox = null;
                return true;
            });
        }
        finally
        {
            handshakes.Release();
        }
    }
}
