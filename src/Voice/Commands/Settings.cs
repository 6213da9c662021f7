using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Text.Json;

namespace Voice.Commands;

/// <summary>A setting has a value that cannot be used; one line, exit code 2.</summary>
internal sealed class SettingException(string message) : Exception(message);

/// <summary>The options of a command. Each comes from its flag, else from the environment (VOICE_ and its name, such as
/// VOICE_LINK_PORT), else from the JSON file (--config, else voice.json where it exists: {"link-port": 8081}), else its default.</summary>
internal sealed class Settings
{
    /// <summary>Every option of every command: one settings file serves them all.</summary>
    private static readonly HashSet<string> Known = [];

    private readonly Command command;
    private readonly Option<string?> config = new("--config") { Description = "JSON file with settings, keys named like the flags [voice.json if it exists]" };

    public Settings(Command command)
    {
        this.command = command;
        command.Options.Add(config);
    }

    public Option<string> Text(string name, string description, string @default) => Add(name, description, @default, s => s);

    public Option<string?> OptionalText(string name, string description) => Add<string?>(name, description, null, s => s);

    public Option<int> Number(string name, string description, int @default, int least, int most) => Add(
        name, description, @default,
        s => int.TryParse(s, out var n) && n >= least && n <= most ? n : throw new FormatException($"a number from {least} to {most}"));

    public Option<int> Port(string name, string description, int @default) => Number(name, description, @default, 0, 65535);

    public Option<bool?> Switch(string name, string description) => Add<bool?>(
        name, description, null, s => bool.TryParse(s, out var b) ? b : throw new FormatException("true or false"));

    public Option<IPAddress> Address(string name, string description, IPAddress @default) => Add(name, description, @default, ParseAddress);

    public Option<IPAddress[]> Addresses(string name, string description) => Add(
        name, description, [], s => s.Split(',').Select(ParseAddress).ToArray());

    public Option<string[]> List(string name, string description, string[] @default) => Add(
        name, description, @default, s => s.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    /// <summary>One of these words.</summary>
    public Option<T> Choice<T>(string name, string description, T @default, Dictionary<string, T> words) => Add(
        name, $"{description}: {string.Join(", ", words.Keys)}", @default,
        s => words.TryGetValue(s, out var value) ? value : throw new FormatException($"one of {string.Join(", ", words.Keys)}"));

    private static IPAddress ParseAddress(string text) =>
        IPAddress.TryParse(text, out var address) ? address : throw new FormatException("an IP address");

    private Option<T> Add<T>(string name, string description, T @default, Func<string, T> parse)
    {
        Known.Add(name);
        var option = new Option<T>("--" + name)
        {
            Description = description,
            CustomParser = result => Parse(result, () => result.Tokens.Count == 0 ? "true" : result.Tokens[^1].Value, "--" + name),
            Arity = typeof(T) == typeof(bool?) ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
        };
        option.DefaultValueFactory = result =>
            Environment.GetEnvironmentVariable(EnvironmentName(name)) is { Length: > 0 } variable ? Parse(result, () => variable, EnvironmentName(name))
            : FromFile(result, name) is { } value ? Parse(result, () => value, $"\"{name}\" in the settings file")
            : @default;
        command.Options.Add(option);
        return option;

        T Parse(ArgumentResult result, Func<string> text, string source)
        {
            try
            {
                return parse(text());
            }
            catch (FormatException e)
            {
                result.AddError($"{source} is '{text()}', and must be {e.Message}");
                return @default;
            }
        }
    }

    private static string EnvironmentName(string name) => "VOICE_" + name.ToUpperInvariant().Replace('-', '_');

    private string? FromFile(ArgumentResult result, string name)
    {
        var named = result.GetValue(config) ?? Environment.GetEnvironmentVariable("VOICE_CONFIG");
        var path = named ?? "voice.json";
        if (named is null && !File.Exists(path)) return null;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (json.RootElement.EnumerateObject().FirstOrDefault(setting => !Known.Contains(setting.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } unknown)
                throw new SettingException($"the settings file {path} has \"{unknown.Name}\", which is no option of any command");
            return json.RootElement.TryGetProperty(name, out var value)
                ? value.ValueKind == JsonValueKind.Array ? string.Join(',', value.EnumerateArray().Select(v => v.ToString())) : value.ToString()
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw new SettingException($"the settings file {path} cannot be read: {e.Message}");
        }
    }
}
