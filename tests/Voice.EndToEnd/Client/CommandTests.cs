using System.Diagnostics;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol.Ogg;
using Xunit;

namespace Voice.EndToEnd.Client;

/// <summary>`voice join`, `play` and `record` as processes, as people run them.</summary>
public sealed class CommandTests(ClientFixture server) : IClassFixture<ClientFixture>
{
    private static readonly string Tone = Path.Combine(AppContext.BaseDirectory, "assets", "tone.opus");

    [Fact(Timeout = 90_000)]
    public async Task What_one_plays_another_records_packet_for_packet()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var folder = new TempDirectory();
        await using var record = await Run("record", "-o", folder.Path, "--transport", "webrtc");
        await record.Says("Recording");

        await using var play = await Run("play", Tone);
        Assert.Equal(0, await play.Exit(cancel));
        await Poll.Until(() => Directory.EnumerateFiles(folder.Path).Any(file => new FileInfo(file).Length > 10_000), "the recording", TimeSpan.FromSeconds(10));
        record.Interrupt();
        Assert.Equal(0, await record.Exit(cancel));

        var recorded = Assert.Single(Directory.GetFiles(folder.Path));
        var packets = await Packets(recorded, cancel);
        var played = await Packets(Tone, cancel);
        Assert.Equal(played, packets.Take(played.Count));
        Assert.All(packets.Skip(played.Count), packet => Assert.Equal(OpusToc.SilenceFrame, packet)); // the end of talk

        using var check = Process.Start(new ProcessStartInfo("opusinfo", [recorded]) { RedirectStandardOutput = true })!;
        var found = await check.StandardOutput.ReadToEndAsync(cancel);
        await check.WaitForExitAsync(cancel);
        Assert.True(check.ExitCode == 0 && !found.Contains("WARNING") && found.Contains("Logical stream 1 ended"), found);
    }

    [Fact(Timeout = 90_000)]
    public async Task Who_joins_is_shown_and_who_speaks()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var join = await Run("join");
        await join.Says("Joined Clients / Voice");

        await using var play = await Run("play", Tone);
        await join.Says("speaks");
        Assert.Equal(0, await play.Exit(cancel));
        await join.Says("- user");
        join.Interrupt();
        Assert.Equal(0, await join.Exit(cancel));
    }

    [Fact(Timeout = 90_000)]
    public async Task A_file_that_is_cut_off_is_played_as_far_as_it_goes_and_named_in_one_line()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var folder = new TempDirectory();
        var cut = Path.Combine(folder.Path, "cut.opus");
        await File.WriteAllBytesAsync(cut, (await File.ReadAllBytesAsync(Tone, cancel))[..6000], cancel);
        await using var listener = await server.Join(new VoiceClientOptions(), cancel: cancel);

        await using var play = await Run("play", cut);
        var heard = 0;
        await foreach (var frame in listener.Voice.ReadFramesAsync(cancel))
        {
            if (frame.Payload.Span.SequenceEqual(OpusToc.SilenceFrame)) break;
            heard++;
        }

        Assert.Equal(1, await play.Exit(cancel));
        Assert.Equal(50, heard); // the one page that is whole
        Assert.Equal($"voice: {cut}: the file is cut off, inside a page, at byte 6000", Assert.Single(play.Errors));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(2, "play", "--transport", "pigeon", "x.opus")]
    [InlineData(2, "join", "--transport", "webrtc", "--mode", "aead_aes256_gcm_rtpsize")]
    [InlineData(2, "join", "--ca", "/nowhere/ca.pem")]
    [InlineData(1, "play", "/nowhere/x.opus")]
    [InlineData(1, "join", "--token", "nobody's")]
    public async Task What_is_wrong_is_said_in_one_line(int exitCode, params string[] arguments)
    {
        await using var command = await Run(arguments[0], arguments[1..]);

        Assert.Equal(exitCode, await command.Exit(TestContext.Current.CancellationToken));
        Assert.StartsWith("voice: ", Assert.Single(command.Errors));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_certificate_of_an_unknown_authority_is_refused()
    {
        using var folder = new TempDirectory();
        await using var command = VoiceCommand.Start(
            folder.Path, "join", server.Guild.ToString(), server.Channel.ToString(), "--url", server.Server.Address.ToString(), "--token", (await server.NewMember()).Token);

        Assert.Equal(1, await command.Exit(TestContext.Current.CancellationToken));
        Assert.Contains("certificate", Assert.Single(command.Errors));
    }

    private async Task<VoiceCommand> Run(string command, params string[] arguments)
    {
        string[] place = [command, server.Guild.ToString(), server.Channel.ToString(), "--url", server.Server.Address.ToString()];
        string[] trust = arguments.Contains("--ca") ? [] : ["--ca", server.CaFile];
        string[] account = arguments.Contains("--token") ? [] : ["--token", (await server.NewMember()).Token];
        return VoiceCommand.Start(AppContext.BaseDirectory, [.. place, .. trust, .. account, .. arguments]);
    }

    private static async Task<List<byte[]>> Packets(string file, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(file);
        return await OpusFile.ReadAsync(stream, file, cancel).Select(packet => packet.Data.ToArray()).ToListAsync(cancel);
    }
}
