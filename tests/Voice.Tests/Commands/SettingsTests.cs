using System.CommandLine;
using Voice.Commands;
using Xunit;

namespace Voice.Tests.Commands;

public sealed class SettingsTests : IDisposable
{
    private const string Variable = "VOICE_SETTINGS_TEST";
    private readonly string file = Path.GetTempFileName();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        File.Delete(file);
    }

    [Fact]
    public void A_flag_beats_the_environment_which_beats_the_file_which_beats_the_default()
    {
        Assert.Equal(1, Read());
        File.WriteAllText(file, """{ "settings-test": 2 }""");
        Assert.Equal(2, Read("--config", file));
        Environment.SetEnvironmentVariable(Variable, "3");
        Assert.Equal(3, Read("--config", file));
        Assert.Equal(4, Read("--config", file, "--settings-test", "4"));
    }

    [Theory]
    [InlineData("--settings-test", "many")]
    [InlineData("--settings-test", "11")]
    [InlineData("--settings-tset", "1")]
    public async Task A_wrong_option_is_exit_code_2(params string[] args)
    {
        var (command, _) = Command();

        Assert.Equal(2, await CommandRunner.RunAsync(new RootCommand { command }, ["tested", .. args]));
    }

    [Fact]
    public async Task A_wrong_value_in_the_environment_is_exit_code_2()
    {
        Environment.SetEnvironmentVariable(Variable, "many");
        var (command, _) = Command();

        Assert.Equal(2, await CommandRunner.RunAsync(new RootCommand { command }, ["tested"]));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{ "settings-tset": 1 }""")]
    [InlineData("""{ "settings-test": 11 }""")]
    public async Task A_wrong_settings_file_is_exit_code_2(string json)
    {
        await File.WriteAllTextAsync(file, json, TestContext.Current.CancellationToken);
        var (command, _) = Command();

        Assert.Equal(2, await CommandRunner.RunAsync(new RootCommand { command }, ["tested", "--config", file]));
    }

    [Theory]
    [InlineData("aead_aes256_gcm_rtpsize,aead_xchacha20_poly1305_rtpsize")]
    [InlineData("xsalsa20_poly1305", "--encryption-modes", "xsalsa20_poly1305")]
    [InlineData(null, "--encryption-modes", "aead_aes256_gcm_rtpsize,rot13")]
    public void A_node_offers_old_encryption_only_where_it_is_told_to(string? expected, params string[] args)
    {
        var command = new Command("tested");
        var settings = new Settings(command);
        var (common, node) = (new CommonSettings(settings), new NodeSettings(settings, "port"));
        command.SetAction(_ => 0);
        var parsed = new RootCommand { command }.Parse(["tested", .. args]);

        if (expected is null) Assert.Throws<SettingException>(() => node.Read(parsed, common, []));
        else Assert.Equal(expected, string.Join(',', node.Read(parsed, common, []).EncryptionModes));
    }

    private static int Read(params string[] args)
    {
        var (command, option) = Command();
        var parsed = new RootCommand { command }.Parse(["tested", .. args]);
        Assert.Empty(parsed.Errors);
        return parsed.GetValue(option);
    }

    private static (Command Command, Option<int> Option) Command()
    {
        var command = new Command("tested");
        var option = new Settings(command).Number("settings-test", "a number", 1, 0, 10);
        command.SetAction(parsed => parsed.GetValue(option));
        return (command, option);
    }
}
