using Voice.Signaling;
using Xunit;

namespace Voice.Tests.Signaling.Allocation;

public class VoiceTokenTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly VoiceTokenKey Key = new("a secret of the whole cluster"u8.ToArray());
    private static readonly VoiceToken Token = new(ulong.MaxValue, 2, 3, new string('a', 32), "node-1", 1L << 40, "eu");

    [Fact]
    public void Carries_every_field()
    {
        Assert.True(Key.TryRead(Key.Sign(Token, Now), Now, out var read));
        Assert.Equal(Token, read);
    }

    [Fact]
    public void Is_short_lived()
    {
        var text = Key.Sign(Token, Now);
        Assert.True(Key.TryRead(text, Now + VoiceTokenKey.Lifetime - TimeSpan.FromSeconds(1), out _));
        Assert.False(Key.TryRead(text, Now + VoiceTokenKey.Lifetime + TimeSpan.FromSeconds(1), out _));
    }

    [Fact]
    public void Differs_each_time() => Assert.NotEqual(Key.Sign(Token, Now), Key.Sign(Token, Now));

    [Fact]
    public void Another_clusters_token_is_refused() =>
        Assert.False(new VoiceTokenKey("a secret of another cluster"u8.ToArray()).TryRead(Key.Sign(Token, Now), Now, out _));

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("a.b.c")]
    [InlineData("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")]
    public void Anything_else_is_refused(string? text) => Assert.False(Key.TryRead(text, Now, out _));

    [Fact]
    public void No_changed_or_missing_character_passes()
    {
        var text = Key.Sign(Token, Now);
        for (var i = 0; i < text.Length; i++)
        {
            Assert.False(Key.TryRead(text[..i], Now, out _));
            Assert.False(Key.TryRead(text.Remove(i, 1), Now, out _));
        }
    }
}
