using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Voice.Client.WebRtc;
using Voice.Load.Generator;

namespace Voice.Load.Server;

/// <summary>Rooms of a peer: talkers publish over one connection, and everybody hears over another, as such servers' clients do. Who never talks
/// publishes nothing.</summary>
internal sealed class PeerRooms(PeerServer server, LoadGenerator generator, IPAddress local, bool speech, CancellationToken cancel)
    : Rooms(generator, local, speech, cancel)
{
    /// <summary>First the talkers' mouths, then everybody's ears; the first ears are the talkers'.</summary>
    protected override Participant[] Make(int room, int size, int talkers)
    {
        var people = new Participant[talkers + size];
        for (var i = 0; i < people.Length; i++)
        {
            people[i] = Open(room, talkers, worker: 0);
            if (i < talkers) people[i].Talker = MakeTalker(people[i], i, size - 1);
        }

        return people;
    }

    protected override Task<Task> Enter(Room room, Action? joined)
    {
        return Task.FromResult(All());

        async Task All()
        {
            var mouths = room.Participants.Where(participant => participant.Talker is not null).ToArray();
            await Task.WhenAll(mouths.Select(mouth => Open("publish", mouth))); // first, so that listeners find them
            await Task.WhenAll(room.Participants[mouths.Length..].Select(async (ear, i) =>
            {
                var heard = mouths.Where((_, slot) => slot != i).Select(mouth => (JsonNode)mouth.Number).ToArray();
                if (heard.Length > 0) await Open("subscribe", ear, new JsonArray(heard));
                joined?.Invoke();
            }));
        }
    }

    /// <summary>Signals, and then connects: some servers tell of a talker only when its packets can come.</summary>
    private async Task Open(string what, Participant participant, JsonArray? talkers = null)
    {
        var ours = (Ufrag: RandomNumberGenerator.GetHexString(8, lowercase: true), Password: RandomNumberGenerator.GetHexString(24, lowercase: true));
        var address = (IPEndPoint)participant.Socket.LocalEndPoint!;
        var request = new JsonObject
        {
            ["do"] = what,
            ["participant"] = participant.Number,
            ["room"] = participant.Room,
            ["address"] = address.Address.ToString(),
            ["port"] = address.Port,
            ["ufrag"] = ours.Ufrag,
            ["password"] = ours.Password,
            ["fingerprint"] = BitConverter.ToString(DtlsHandshake.OwnFingerprint).Replace('-', ':'),
            ["payload_type"] = Mouths.WebRtcOpus,
            ["audio_level"] = Mouths.AudioLevelExtension,
        };
        if (talkers is null) request["ssrc"] = participant.Ssrc;
        else request["talkers"] = talkers;
        var reply = await server.Ask(request, Cancel);
        participant.Credentials = new(ours.Ufrag, ours.Password, reply["ufrag"]!.GetValue<string>(), reply["password"]!.GetValue<string>());
        participant.Open(new IPEndPoint(IPAddress.Parse(reply["address"]!.GetValue<string>()), reply["port"]!.GetValue<int>()));
        await Connect(participant, Convert.FromHexString(reply["fingerprint"]!.GetValue<string>().Replace(":", "", StringComparison.Ordinal)));
    }
}
