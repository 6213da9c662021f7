using Microsoft.Extensions.Time.Testing;
using Voice.Signaling;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

public sealed class AccountTokensTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("voice-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tokens_survive_a_restart_with_or_without_the_prefix(bool administrator)
    {
        var token = AccountTokens.Open(_data).Mint(42, TimeSpan.FromHours(1), administrator);
        var restarted = AccountTokens.Open(_data);

        foreach (var text in new[] { token, "Bot " + token, "Bearer " + token })
        {
            var account = await restarted.Read(text);
            Assert.Equal((42ul, administrator), (account!.User.Value, account.Administrator));
        }
    }

    [Fact]
    public async Task A_token_ends_at_its_time_and_not_before()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero));
        var tokens = AccountTokens.Open(_data, time: time);
        var token = tokens.Mint(42, TimeSpan.FromHours(1));

        time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(1));
        Assert.NotNull(await tokens.Read(token));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await tokens.Read(token));
    }

    [Fact]
    public async Task A_token_changed_anywhere_is_refused()
    {
        var tokens = AccountTokens.Open(_data);
        var token = tokens.Mint(42, TimeSpan.FromHours(1));

        // The last character of each part may hold unused bits.
        for (var i = 0; i < token.Length; i++)
        {
            if (token[i] == '.' || i == token.Length - 1 || token[i + 1] == '.') continue;
            var changed = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.Null(await tokens.Read(changed));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a.b.c")]
    [InlineData("eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiIsImF1ZCI6InZvaWNlIiwiaXNzIjoidm9pY2UiLCJleHAiOjQxMDI0NDQ4MDB9.")]
    public async Task Tokens_that_are_not_signed_by_us_are_refused(string token) => Assert.Null(await AccountTokens.Open(_data).Read(token));

    [Fact]
    public async Task A_token_of_another_installation_is_refused()
    {
        var other = AccountTokens.Open(Path.Combine(_data, "other")).Mint(42, TimeSpan.FromHours(1));

        Assert.Null(await AccountTokens.Open(_data).Read(other));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not hexadecimal")]
    [InlineData("00ff")]
    public void A_damaged_key_is_one_line_that_names_the_file(string content)
    {
        File.WriteAllText(Path.Combine(_data, "token-key"), content);

        var refusal = Assert.Throws<StartupException>(() => AccountTokens.Open(_data));

        Assert.Contains(Path.Combine(_data, "token-key"), refusal.Message);
        Assert.DoesNotContain('\n', refusal.Message);
    }
}
