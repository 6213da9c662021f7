using System.Buffers.Text;
using System.Text.Json;
using Voice.Client;

namespace Voice.Load.Drills.People;

/// <summary>A client was told where its voice server is.</summary>
/// <param name="Epoch">Null: there is no server.</param>
internal readonly record struct Told(long At, long? Epoch, string? Node)
{
    public static Told From(Protocol.Gateway.VoiceServerUpdate server, long at)
    {
        if (server.Endpoint is null) return new(at, null, null);
        var (epoch, node) = Read(server.Token);
        return new(at, epoch, node);
    }

    public static long EpochOf(VoiceAssignment assignment) => Read(assignment.Token).Epoch;

    /// <summary>The token is a JWT to our servers and opaque to clients; a drill may look.</summary>
    private static (long Epoch, string Node) Read(string token)
    {
        using var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]));
        return (payload.RootElement.GetProperty("epo").GetInt64(), payload.RootElement.GetProperty("nod").GetString()!);
    }
}
