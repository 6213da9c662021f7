using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Discord;

/// <summary>One server and one browser for the tests of a class; each test has a guild of its own.</summary>
public sealed class DiscordFixture : IAsyncLifetime
{
    private readonly TempDirectory data = new();

    public VoiceProcess Server { get; private set; } = null!;

    public ChromiumBrowser Chromium { get; private set; } = null!;

    /// <summary>Three seconds of 440 Hz in Ogg Opus.</summary>
    public static string Tone { get; } = Path.Combine(AppContext.BaseDirectory, "assets", "tone.opus");

    public const int ToneHertz = 440;

    public async ValueTask InitializeAsync()
    {
        Server = await VoiceProcess.Up(data.Path);
        Chromium = await ChromiumBrowser.Start();
    }

    public Task<Room> OpenRoom() => Room.Open(Server, data.Path);

    public async ValueTask DisposeAsync()
    {
        if (Chromium is not null) await Chromium.DisposeAsync();
        if (Server is not null) await Server.DisposeAsync();
        data.Dispose();
    }
}
