using System.Net;
using Voice.Client;
using Voice.Client.WebRtc;
using Voice.Load.Generator;
using Voice.Protocol.Srtp;

namespace Voice.Load.Server;

/// <summary>How participants send and receive.</summary>
public enum LoadTransport
{
    WebRtc = 0,
    Udp,
}

/// <summary>One room.</summary>
internal sealed record Room(int Number, Participant[] Participants)
{
    public IEnumerable<Talker> Talkers => Participants.Select(participant => participant.Talker).OfType<Talker>();
}

/// <summary>Makes rooms and lets people join them.</summary>
/// <param name="local">Where participants' sockets are.</param>
internal abstract class Rooms(LoadGenerator generator, IPAddress local, bool speech, CancellationToken cancel) : IDisposable
{
    private const int ParallelHandshakes = 32;

    private readonly Random random = new(20);
    private readonly SemaphoreSlim handshakes = new(ParallelHandshakes);
    private readonly List<Room> rooms = [];
    private int sockets;

    public IReadOnlyList<Room> All => rooms;

    /// <summary>People; where they need several connections, there are more sockets.</summary>
    public int Participants { get; private set; }

    protected LoadGenerator Generator { get; } = generator;

    protected CancellationToken Cancel { get; } = cancel;

    /// <summary>Adds rooms and waits until all are in them.</summary>
    /// <param name="joined">Told after each participant.</param>
    public async Task Add(int count, int size, int talkers, Action? joined = null)
    {
        var running = new List<Task>();
        for (var i = 0; i < count; i++) running.Add(await Enter(Make(size, talkers), joined));
        await Task.WhenAll(running);
    }

    /// <summary>A room whose people are known but not in it.</summary>
    public Room Make(int size, int talkers)
    {
        var room = new Room(rooms.Count, Make(rooms.Count, size, talkers));
        rooms.Add(room);
        Participants += size;
        return room;
    }

    public void Dispose() => handshakes.Dispose();

    /// <summary>The room's sockets.</summary>
    protected abstract Participant[] Make(int room, int size, int talkers);

    /// <summary>The server hears of everybody; completes with what completes when they are in.</summary>
    protected abstract Task<Task> Enter(Room room, Action? joined);

    protected Participant Open(int room, int talkers, int worker)
    {
        var participant = new Participant(sockets++, room, talkers, worker);
        participant.Bind(local);
        Generator.Add(participant);
        return participant;
    }

    /// <param name="slot">Among the talkers of the room.</param>
    protected Talker MakeTalker(Participant participant, int slot, int listeners) => new(participant, slot, listeners, random.NextInt64(Talker.FrameNanoseconds))
    {
        FirstIndex = (ulong)random.Next(1, 1 << 15), // RFC 3711 section 3.3.1
        Speech = speech ? new SpeechModel(new Random(participant.Number)) : null,
    };

    /// <summary>Connectivity checks and handshake of a participant that has its credentials.</summary>
    protected async Task Connect(Participant participant, byte[] fingerprint)
    {
        await handshakes.WaitAsync(Cancel);
        try
        {
            await Generator.Check(participant);
            await participant.Reached.Task.WaitAsync(Cancel);
            var (profile, material, _) = await DtlsHandshake.RunAsync(participant.Inbox!, fingerprint, Cancel, [SrtpProfile.AeadAes128Gcm]);
            await Generator.Do(() =>
            {
                participant.Keys = new SrtpKeys(new SrtpKeyingMaterial(profile, material));
                participant.Inbox = null;
                return true;
            });
        }
        catch (VoiceClosedException e)
        {
            throw new LoadException($"a participant did not get in: {e.Message}", e);
        }
        finally
        {
            handshakes.Release();
        }
    }
}
