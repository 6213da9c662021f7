using System.Text.Json;
using Voice.Protocol.Gateway;
using Xunit;

namespace Voice.Tests;

public class SnowflakeTests
{
    [Theory]
    [InlineData("""{"guild_id":111,"channel_id":"222"}""")]
    [InlineData("""{"guild_id":"111","channel_id":222}""")]
    public void Reads_numbers_and_strings_and_writes_strings(string json)
    {
        var update = JsonSerializer.Deserialize(json, GatewayJson.Default.VoiceStateUpdate)!;

        Assert.Equal((111ul, 222ul), (update.GuildId!.Value.Value, update.ChannelId!.Value.Value));
        Assert.Contains("\"guild_id\":\"111\"", JsonSerializer.Serialize(update, GatewayJson.Default.VoiceStateUpdate));
    }
}
