using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;

namespace Voice.EndToEnd.Harness;

/// <summary>Somebody in front of the page, in whatever browser: sends a tone of their own, listens for everybody's.</summary>
/// <param name="evaluate">Runs a JavaScript expression in the page and gives its value.</param>
public sealed class Participant(string name, int tone, VoiceProcess server, Func<string, Task<JsonElement>> evaluate)
{
    /// <summary>Hz. No one is a multiple of another, so that distortion of one is not taken for another.</summary>
    public static readonly int[] Tones = [440, 700, 1010, 1370];

    /// <summary>What tells a tone that is there from one that is not.</summary>
    private const double Margin = 20;

    /// <summary>dBFS per bin; our tones arrive at about -25, an idle decoder's comfort noise stays below -80.</summary>
    private const double Audible = -50;

    private const int SteadyReadings = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public string Name => name;

    public int Tone => tone;

    /// <summary>The page's address that enters and joins without a click.</summary>
    /// <param name="tone">Null: the browser's microphone.</param>
    /// <param name="channel">Null: none yet.</param>
    public static Uri Address(VoiceProcess server, string name, int? tone, string? channel) => new(
        server.Address,
        string.Create(CultureInfo.InvariantCulture, $"?name={name}{(tone is null ? "" : $"&tone={tone}")}{(channel is null ? "" : $"&channel={channel}")}"));

    /// <summary>Opens the page in Chromium, with the given person and their tone.</summary>
    public static async Task<(Participant Participant, IPage Page)> Open(
        ChromiumBrowser browser, VoiceProcess server, string name, int tone, string? channel, params string[] scripts)
    {
        var page = await browser.NewPage([Scripts.Trail, Scripts.Ears, .. scripts]);
        await page.GotoAsync(Address(server, name, tone, channel).AbsoluteUri);
        return (Of(page, server, name, tone), page);
    }

    public static Participant Of(IPage page, VoiceProcess server, string name, int tone) =>
        new(name, tone, server, async expression => await page.EvaluateAsync<JsonElement>($"async () => ({expression})"));

    public Task<JsonElement> Evaluate(string expression) => evaluate(expression);

    public Task IsConnected() => Reaches("Voice Connected");

    public Task Reaches(string state) => Until($"window.voice?.state === '{state}'", $"{name} to reach \"{state}\"", TimeSpan.FromSeconds(30));

    public async Task Until(string expression, string what, TimeSpan? timeout = null)
    {
        try
        {
            await Poll.Until(async () => (await evaluate(expression)).ValueKind == JsonValueKind.True, what, timeout ?? Patience);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} {await Situation()}", e);
        }
    }

    /// <summary>Waits until exactly these tones are heard: each there, all others and one's own at least 20 dB below, and that
    /// in several readings on end.</summary>
    public async Task HearsExactly(params Participant[] expected)
    {
        var steady = 0;
        double[] levels = [];
        try
        {
            await Poll.Until(
                async () =>
                {
                    levels = await Hear();
                    var wanted = levels.Where((_, i) => expected.Any(person => person.Tone == Tones[i])).ToArray();
                    var loudestOther = levels.Where((_, i) => expected.All(person => person.Tone != Tones[i])).Max();
                    var right = wanted.Length == 0 ? loudestOther < Audible - Margin : wanted.Min() > Audible && loudestOther < wanted.Min() - Margin;
                    steady = right ? steady + 1 : 0;
                    return steady >= SteadyReadings;
                },
                $"{name} to hear exactly [{string.Join(", ", expected.Select(person => person.Name))}]",
                Patience);
        }
        catch (TimeoutException e)
        {
            var heard = string.Join(", ", levels.Select((level, i) => string.Create(CultureInfo.InvariantCulture, $"{Tones[i]} Hz: {level:0} dB")));
            throw new TimeoutException($"{e.Message} Heard {heard}. {await Situation()}", e);
        }
    }

    /// <summary>dBFS of each of <see cref="Tones"/> in the mix of all that is received.</summary>
    public async Task<double[]> Hear()
    {
        var levels = await evaluate($"ears.hear([{string.Join(',', Tones)}])");
        return [.. levels.EnumerateArray().Select(level => level.GetDouble())];
    }

    public async Task<JsonElement> Stats()
    {
        var stats = await evaluate("window.voice.stats()");
        return stats.ValueKind == JsonValueKind.Object ? stats : throw new InvalidOperationException($"{name} is in no call. {await Situation()}");
    }

    private async Task<string> Situation()
    {
        var page = await evaluate("({ state: window.voice?.state, call: window.voice?.call, streams: [...(window.voice?.streams.keys() ?? [])], " +
            "user: window.voice?.user?.id, connected: window.voice?.connected, toasts: document.getElementById('toasts')?.innerText })");
        var trail = await evaluate("(window.trail ?? []).join('\\n')");
        return $"{name}'s page: {page.GetRawText()}\n{trail}\nServer:\n{server.Log}";
    }
}
