using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Voice.Protocol;
using Voice.Signaling.Hosting;

namespace Voice.Signaling.Gateway;

/// <summary>Whom a valid token names. What they may do in a guild is the guild's to say.</summary>
/// <param name="Administrator">The token was minted for an operator of this installation.</param>
/// <param name="Bot">The token was minted for a program.</param>
public sealed record Account(Snowflake User, string TokenId, bool Administrator, bool Bot);

/// <summary>Mints and checks the tokens of the main gateway: signed JWTs that prove who somebody is (design.md section 3.10).
/// The signing key is made on first start and kept in the data folder. Safe for all threads.</summary>
public sealed class AccountTokens
{
    private const string FileName = "token-key";
    private const int KeyBytes = 32;
    private const int MaxTokenBytes = 2048;
    private const string Issuer = "voice";
    private const string UserAudience = "voice";

    // An administrator's token is another kind of token, not a user's with a flag: neither passes for the other by mistake.
    private const string AdministratorAudience = "voice-administrator";
    private const string BotClaim = "bot";

    private static readonly string[] Prefixes = ["Bot ", "Bearer "];

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = MaxTokenBytes, SetDefaultTimesOnTokenCreation = false };
    private readonly SymmetricSecurityKey _key;
    private readonly TokenValidationParameters _rules;
    private readonly TimeProvider _time;

    private AccountTokens(byte[] key, TimeProvider time)
    {
        _time = time;
        _key = new SymmetricSecurityKey(key);
        _rules = new TokenValidationParameters
        {
            ValidIssuer = Issuer,
            ValidAudiences = [UserAudience, AdministratorAudience],
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            IssuerSigningKey = _key,
            RequireExpirationTime = true,
            LifetimeValidator = (_, expires, _, _) => expires > _time.GetUtcNow().UtcDateTime,
        };
    }

    /// <param name="given">The key, 64 hexadecimal digits; null: that of the data folder.</param>
    /// <exception cref="StartupException">The key can not be made or read, or is damaged.</exception>
    public static AccountTokens Open(string dataDirectory, string? given = null, TimeProvider? time = null) =>
        new(ReadKey(dataDirectory, given), time ?? TimeProvider.System);

    /// <summary>The signing key, as <see cref="Open"/> uses it.</summary>
    internal static byte[] ReadKey(string dataDirectory, string? given)
    {
        var text = given ?? SecretFile.ReadOrMake(dataDirectory, FileName, () => RandomNumberGenerator.GetHexString(2 * KeyBytes, lowercase: true));
        var key = new byte[KeyBytes];
        if (Convert.FromHexString(text.Trim(), key, out _, out var written) == System.Buffers.OperationStatus.Done && written == KeyBytes) return key;
        throw new StartupException(given is not null
            ? $"the token key given is not {2 * KeyBytes} hexadecimal digits"
            : $"the token key {Path.Combine(dataDirectory, FileName)} is damaged: restore it, or remove it to have a new one made (all tokens then end)");
    }

    /// <param name="bot">The user is a program: marked as such, and in voice in several guilds at once.</param>
    public string Mint(Snowflake user, TimeSpan lifetime, bool administrator = false, bool bot = false)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        Claim[] kind = bot ? [new Claim(BotClaim, "true", ClaimValueTypes.Boolean)] : [];
        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = administrator ? AdministratorAudience : UserAudience,
            Subject = new ClaimsIdentity([
                new Claim(JwtRegisteredClaimNames.Sub, user.ToString()),
                new Claim(JwtRegisteredClaimNames.Jti, Guid.NewGuid().ToString("N")),
                .. kind,
            ]),
            IssuedAt = now,
            Expires = now + lifetime,
            SigningCredentials = new SigningCredentials(_key, SecurityAlgorithms.HmacSha256),
        });
    }

    /// <summary>The token itself, without the "Bot " or "Bearer " that it may come with.</summary>
    public static string Bare(string token) =>
        Array.Find(Prefixes, prefix => token.StartsWith(prefix, StringComparison.Ordinal)) is { } prefix ? token[prefix.Length..] : token;

    /// <summary>The account that a token names, with or without such a prefix; null if it is not ours, damaged or expired.</summary>
    public async ValueTask<Account?> Read(string token)
    {
        var result = await _handler.ValidateTokenAsync(Bare(token), _rules);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt) return null;
        return Snowflake.TryParse(jwt.Subject, out var user)
            ? new Account(user, jwt.Id, jwt.Audiences.Contains(AdministratorAudience), jwt.TryGetPayloadValue(BotClaim, out bool bot) && bot)
            : null;
    }
}
