using System.CommandLine;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Voice.Client;
using Voice.Protocol.DiscordUdp;

namespace Voice.Commands.Clients;

/// <summary>What every command that joins voice is told.</summary>
internal sealed class ClientSettings
{
    private const string DefaultCa = "data/ca.pem";

    private readonly Argument<string> guild = new("guild") { Description = "id or name of the guild" };
    private readonly Argument<string> channel = new("channel") { Description = "id or name of the voice channel" };
    private readonly Option<string> url;
    private readonly Option<string?> token;
    private readonly Option<string> name;
    private readonly Option<VoiceTransport> transport;
    private readonly Option<EncryptionMode?> mode;
    private readonly Option<string?> ca;

    public ClientSettings(Command command)
    {
        command.Arguments.Add(guild);
        command.Arguments.Add(channel);
        Settings = new Settings(command);
        url = Url(Settings);
        token = Settings.OptionalText("token", "token of the account, see `voice token`; without one, a guest where the gateway lets guests in");
        name = Settings.Text("name", "what a guest is called", "guest");
        transport = Settings.Choice("transport", "how media goes", VoiceTransport.Udp, new() { ["udp"] = VoiceTransport.Udp, ["webrtc"] = VoiceTransport.WebRtc });
        mode = Settings.Choice(
            "mode", "encryption of UDP; without it, the best that the server offers", null,
            EncryptionModes.WithLegacy.ToDictionary(name => name, name => EncryptionModes.Find(name, EncryptionModes.WithLegacy)));
        ca = Ca(Settings);
    }

    /// <summary>For options of the command's own.</summary>
    public Settings Settings { get; }

    public ClientRequest Read(ParseResult parsed)
    {
        var server = Server(parsed.GetRequiredValue(url));
        var chosen = parsed.GetValue(mode);
        if (chosen is not null && parsed.GetValue(transport) != VoiceTransport.Udp) throw new SettingException("--mode is of --transport udp");
        return new ClientRequest(
            server,
            parsed.GetValue(token),
            parsed.GetRequiredValue(name),
            parsed.GetRequiredValue(guild),
            parsed.GetRequiredValue(channel),
            Trust(parsed.GetValue(ca)),
            new VoiceClientOptions { Transport = parsed.GetValue(transport), Modes = chosen is { } only ? [only] : new VoiceClientOptions().Modes });
    }

    public static Option<string> Url(Settings settings) => settings.Text("url", "address that voice up or voice gateway prints", "http://127.0.0.1:8080");

    public static Option<string?> Ca(Settings settings) =>
        settings.OptionalText("ca", $"PEM file of a private authority to trust, beside the system's [{DefaultCa} if it exists]");

    public static Uri Server(string address) => Uri.TryCreate(address, UriKind.Absolute, out var server) && server.Scheme is "http" or "https"
        ? server
        : throw new SettingException($"--url is '{address}', and must be an http or https address");

    public static RemoteCertificateValidationCallback? Trust(string? file)
    {
        if (file is null && !File.Exists(DefaultCa)) return null;
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file ?? DefaultCa);
            return authorities.Count > 0 ? PrivateCa.Trust(authorities) : throw new SettingException($"--ca: {file ?? DefaultCa} holds no certificate");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new SettingException($"--ca: {file ?? DefaultCa} cannot be read: {e.Message}");
        }
    }
}

/// <summary>What <see cref="ClientSettings"/> came to.</summary>
/// <param name="Gateway">http or https.</param>
/// <param name="Token">Null: a guest.</param>
/// <param name="Guild">Id or name, as is <paramref name="Channel"/>.</param>
internal sealed record ClientRequest(
    Uri Gateway, string? Token, string Name, string Guild, string Channel, RemoteCertificateValidationCallback? CheckCertificate, VoiceClientOptions Voice);
