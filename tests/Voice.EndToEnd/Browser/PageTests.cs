using Microsoft.Playwright;
using Xunit;

namespace Voice.EndToEnd.Browser;

/// <summary>The page for people: by keyboard, by screen reader, and under its content security policy.</summary>
public sealed class PageTests(CallFixture fixture) : IClassFixture<CallFixture>
{
    [Fact]
    public async Task A_call_can_be_held_by_keyboard_alone()
    {
        var page = await fixture.Chromium.NewPage();
        await page.GotoAsync(fixture.Server.Address.AbsoluteUri);
        await page.Keyboard.TypeAsync("Kim"); // the name has the focus
        await page.Keyboard.PressAsync("Enter");
        var channels = page.GetByRole(AriaRole.Navigation, new() { Name = "Voice channels" });
        var lounge = channels.GetByRole(AriaRole.Button, new() { Name = "Lounge" });
        await lounge.WaitForAsync();
        await lounge.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.GetByRole(AriaRole.Region, new() { Name = "Voice connection" }).GetByText("Voice Connected").WaitForAsync();
        await page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "Kim (you)" }).WaitForAsync();

        var mute = page.GetByRole(AriaRole.Button, new() { Name = "Mute", Exact = true });
        await mute.FocusAsync();
        await page.Keyboard.PressAsync("Space");
        await page.GetByRole(AriaRole.Button, new() { Name = "Mute", Exact = true, Pressed = true }).WaitForAsync();
        await channels.GetByRole(AriaRole.Img, new() { Name = "muted" }).WaitForAsync();
        await page.Keyboard.PressAsync("Control+Shift+KeyM");
        await page.GetByRole(AriaRole.Button, new() { Name = "Mute", Exact = true, Pressed = false }).WaitForAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Leave", Exact = true }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("Choose a voice channel").WaitForAsync();
        await page.Context.DisposeAsync();
    }

    [Fact]
    public async Task Everything_pressable_has_a_name_and_a_visible_focus()
    {
        await using var call = new Call(fixture.Server, fixture.Chromium);
        var (ann, ben) = (await call.Add(), await call.Add());
        await ann.IsConnected();
        await Call.Hearing((ann, [ben]));
        var page = call.PageOf(ann);
        await page.GetByRole(AriaRole.Slider, new() { Name = "Volume of Ben" }).WaitForAsync();
        for (var i = 0; i < 12; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            var focus = await ann.Evaluate("(() => { const at = document.activeElement; return { tag: at.tagName, outline: getComputedStyle(at).outlineStyle, " +
                "name: at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent }; })()");
            if (focus.GetProperty("tag").GetString() == "BODY") continue; // went round
            Assert.NotEqual("none", focus.GetProperty("outline").GetString());
            Assert.False(string.IsNullOrWhiteSpace(focus.GetProperty("name").GetString()), focus.GetRawText());
        }
    }

    [Fact]
    public async Task Volume_is_per_person_and_goes_from_silence_to_double()
    {
        await using var call = new Call(fixture.Server, fixture.Chromium);
        var (ann, ben) = (await call.Add("Lounge", Elements), await call.Add());
        await Call.Hearing((ann, [ben]));
        var slider = call.PageOf(ann).GetByRole(AriaRole.Slider, new() { Name = "Volume of Ben" });
        await slider.FillAsync("40");
        await ann.Until("audios.some(audio => audio.srcObject && !audio.muted && Math.abs(audio.volume - 0.4) < 0.01)", "Ben to be turned down");
        await slider.FillAsync("200");
        await ann.Until("gains.some(gain => gain.gain.value === 2) && audios.some(audio => audio.srcObject && audio.muted)", "Ben to be amplified");
        await slider.FillAsync("0");
        await ann.Until("gains.every(gain => gain.gain.value === 0) && audios.some(audio => audio.srcObject && audio.volume === 0)", "Ben to be silent");
    }

    [Fact]
    public async Task The_page_keeps_to_a_strict_content_security_policy()
    {
        await using var call = new Call(fixture.Server, fixture.Chromium);
        var ann = await call.Add("Lounge", "window.violations = []; addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective));");
        await ann.IsConnected();
        var policy = (await ann.Evaluate("fetch('/').then(answer => answer.headers.get('content-security-policy'))")).GetString();
        Assert.Contains("default-src 'none'", policy);
        Assert.DoesNotContain("unsafe", policy);
        Assert.Equal("[]", (await ann.Evaluate("violations")).GetRawText());
    }

    /// <summary>`audios`, `gains`: what the page plays through.</summary>
    private const string Elements = """
        window.audios = [];
        window.gains = [];
        window.Audio = new Proxy(window.Audio, { construct(target, parameters) { const made = new target(...parameters); audios.push(made); return made; } });
        const create = AudioContext.prototype.createGain;
        AudioContext.prototype.createGain = function () { const made = create.call(this); gains.push(made); return made; };
        """;
}
