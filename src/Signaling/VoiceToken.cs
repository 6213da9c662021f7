using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Voice.Signaling;

/// <summary>Who may open one voice session, where (design.md section 3.9). Clients carry it from VOICE_SERVER_UPDATE to
/// the voice WebSocket's Identify and cannot read anything into it.</summary>
/// <param name="SessionId">The voice state's session id, new at each join.</param>
/// <param name="Epoch">The assignment it belongs to; a node with a higher epoch refuses it.</param>
public sealed record VoiceToken(ulong Guild, ulong Channel, ulong User, string SessionId, string NodeId, long Epoch, string Slot);

/// <summary>Signs and reads <see cref="VoiceToken"/>s: JWT, HS256, under a key derived from the cluster secret (<see cref="ClusterSecret"/>). Thread safe.</summary>
public sealed class VoiceTokenKey(byte[] clusterSecret)
{
    /// <summary>Long enough to connect and to try again; whoever comes later asks the gateway for a fresh one (op 4).</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private const string Audience = "voice";
    private const int MaxLength = 2048;

    private readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false, MaximumTokenSizeInBytes = MaxLength };
    private readonly SymmetricSecurityKey key = new(
        HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterSecret, 32, info: "voice session token 1"u8.ToArray()));

    /// <summary>Differs at each call, also for the same token.</summary>
    public string Sign(VoiceToken token, DateTimeOffset now) => handler.CreateToken(new SecurityTokenDescriptor
    {
        Audience = Audience,
        Expires = (now + Lifetime).UtcDateTime,
        Claims = new Dictionary<string, object>
        {
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["sub"] = Text(token.User),
            ["gld"] = Text(token.Guild),
            ["chn"] = Text(token.Channel),
            ["sid"] = token.SessionId,
            ["nod"] = token.NodeId,
            ["epo"] = token.Epoch,
            ["slt"] = token.Slot,
        },
        SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.HmacSha256),
    });

    /// <summary>False for whatever we did not sign, or signed too long ago. Never throws.</summary>
    public bool TryRead(string? text, DateTimeOffset now, [NotNullWhen(true)] out VoiceToken? token)
    {
        token = null;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength) return false;

        // Completes at once: the key is here, nothing is fetched.
        var result = handler.ValidateTokenAsync(text, new TokenValidationParameters
        {
            IssuerSigningKey = key,
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            ValidateIssuer = false,
            ValidAudience = Audience,
            LifetimeValidator = (_, expires, _, _) => expires > now.UtcDateTime,
        }).GetAwaiter().GetResult();
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt) return false;

        if (!TryNumber(jwt, "gld", out var guild) || !TryNumber(jwt, "chn", out var channel) || !TryNumber(jwt, "sub", out var user)) return false;
        if (!jwt.TryGetPayloadValue("sid", out string? session) || !jwt.TryGetPayloadValue("nod", out string? node)) return false;
        if (!jwt.TryGetPayloadValue("epo", out long epoch) || !jwt.TryGetPayloadValue("slt", out string? slot)) return false;
        token = new VoiceToken(guild, channel, user, session!, node!, epoch, slot!);
        return true;
    }

    private static string Text(ulong id) => id.ToString(CultureInfo.InvariantCulture);

    private static bool TryNumber(JsonWebToken jwt, string claim, out ulong value)
    {
        value = 0;
        return jwt.TryGetPayloadValue(claim, out string? text)
            && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
