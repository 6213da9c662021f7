using Microsoft.Playwright;

namespace Voice.EndToEnd.Harness;

/// <summary>Headless Chromium. Each page gets a context of its own: its own storage, as if it were another person's.</summary>
public sealed class ChromiumBrowser : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    private static readonly string[] Flags =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        "--autoplay-policy=no-user-gesture-required",
    ];

    private readonly IPlaywright playwright;
    private readonly IBrowser browser;
    private readonly string? wrapper;

    private ChromiumBrowser(IPlaywright playwright, IBrowser browser, string? wrapper)
    {
        this.playwright = playwright;
        this.browser = browser;
        this.wrapper = wrapper;
    }

    /// <param name="inNamespace">The network namespace that it runs in; null is ours.</param>
    public static async Task<ChromiumBrowser> Start(NetworkNamespace? inNamespace = null)
    {
        string? wrapper = null;
        if (inNamespace is not null)
        {
            wrapper = Path.Combine(Path.GetTempPath(), $"chromium-in-{inNamespace.Name}.sh");
            await File.WriteAllTextAsync(wrapper, $"#!/bin/sh\nexec ip netns exec {inNamespace.Name} {Program} \"$@\"\n");
            File.SetUnixFileMode(wrapper, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = wrapper ?? Program, Args = Flags, Headless = true });
        return new ChromiumBrowser(playwright, browser, wrapper);
    }

    public async Task<IPage> NewPage(params string[] scripts)
    {
        var context = await browser.NewContextAsync(new() { IgnoreHTTPSErrors = true });
        foreach (var script in scripts) await context.AddInitScriptAsync(script);
        return await context.NewPageAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
        if (wrapper is not null) File.Delete(wrapper);
    }
}
