using System.Text.Json;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Bench;

/// <summary>`voice bench` as people run it, with few people and for seconds: what it counts must be right. How fast it was says nothing here.</summary>
public sealed class BenchTests
{
    /// <summary>What is promised to whoever reads the file.</summary>
    private static readonly string[] Stable =
    [
        "scenario", "participants", "forwarded_per_second", "cpu_us_per_forward", "floor_us_per_send", "ratio_to_floor", "loss_ratio", "added_delay_us", "rss_bytes",
        "bytes_per_participant", "allocated_bytes_per_packet", "gc", "joins_per_second", "threads", "machine", "peers",
    ];

    [Theory(Timeout = 120_000)]
    [InlineData("small", 10, 9)]
    [InlineData("medium", 25, 24)]
    [InlineData("guilds", 100, 4)]
    [InlineData("stage", 31, 30, "--listeners", "30")]
    [InlineData("guilds", 100, 4, "--transport", "udp", "--payload", "ogg")]
    [InlineData("soak", 20, 4)]
    public async Task Every_packet_comes_to_everybody_who_listens(string scenario, int participants, int listeners, params string[] options)
    {
        var result = Assert.Single(await Run(scenario, options, TestContext.Current.CancellationToken));
        Assert.Equal(scenario, result.GetProperty("scenario").GetString());
        Assert.Equal(participants, result.GetProperty("participants").GetInt32());
        Complete(result, listeners);
    }

    [Fact(Timeout = 120_000)]
    public async Task Saturation_is_sought_in_both_shapes()
    {
        var results = await Run("saturate", [], TestContext.Current.CancellationToken);
        Assert.Equal(["saturate-5", "saturate-25"], results.Select(result => result.GetProperty("scenario").GetString()));
        Complete(results[0], 4);
        Complete(results[1], 24);
        Assert.All(results, result =>
        {
            Assert.NotEmpty(result.GetProperty("details").GetProperty("steps").EnumerateArray());
            Assert.True(result.GetProperty("floor_us_per_send").GetDouble() > 0);
            Assert.True(result.GetProperty("ratio_to_floor").GetDouble() > 0);
        });
    }

    [Theory(Timeout = 120_000)]
    [InlineData("webrtc")]
    [InlineData("udp")]
    public async Task All_who_join_at_once_hear_somebody(string transport)
    {
        var result = Assert.Single(await Run("storm", ["--joins", "20", "--transport", transport], TestContext.Current.CancellationToken));
        Assert.Equal(30, result.GetProperty("participants").GetInt32()); // in rooms of ten, one of whom talks
        Assert.True(result.GetProperty("joins_per_second").GetDouble() > 0);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("webrtc")]
    [InlineData("udp")]
    public async Task Of_open_microphones_only_the_loudest_are_heard_and_none_of_them_is_lost(string transport)
    {
        var result = Assert.Single(await Run("loudest", ["--microphones", "30", "--loudest", "3", "--transport", transport], TestContext.Current.CancellationToken));
        Assert.Equal(30, result.GetProperty("participants").GetInt32());
        Assert.Equal(0, result.GetProperty("loss_ratio").GetDouble());
        var loudest = result.GetProperty("details").GetProperty("loudest");
        Assert.Equal(3, loudest.GetProperty("streams_max").GetInt32());
        Assert.True(loudest.GetProperty("starts").GetInt32() > 0);
        Assert.Equal(0, loudest.GetProperty("clipped_ms").GetProperty("p50").GetDouble());
        Assert.Equal(loudest.GetProperty("expected").GetInt64(), loudest.GetProperty("received").GetInt64());
    }

    [Fact(Timeout = 120_000)]
    public async Task The_listeners_of_a_stage_are_spread_over_workers()
    {
        var result = Assert.Single(await Run("stage", ["--listeners", "30", "--workers", "2"], TestContext.Current.CancellationToken));
        Complete(result, 30);
    }

    [Fact(Timeout = 120_000)]
    public async Task Another_server_under_the_same_load_stands_beside_ours()
    {
        var result = Assert.Single(await Run("small", ["--against", "janus"], TestContext.Current.CancellationToken));
        Complete(result, 9);
        var peer = Assert.Single(result.GetProperty("peers").EnumerateArray());
        Assert.Equal("janus", peer.GetProperty("name").GetString());
        Assert.Equal(0, peer.GetProperty("loss_ratio").GetDouble());
        Assert.True(peer.GetProperty("cpu_us_per_forward").GetDouble() > 0);
        Assert.True(peer.GetProperty("ratio").GetDouble() > 0);
    }

    private static void Complete(JsonElement result, int listeners)
    {
        var loss = result.GetProperty("details").GetProperty("loss");
        var sent = loss.GetProperty("sent").GetInt64();
        Assert.True(sent > 0);
        Assert.Equal(sent * listeners, loss.GetProperty("expected").GetInt64());
        Assert.Equal(sent * listeners, loss.GetProperty("received").GetInt64());
        Assert.Equal(0, loss.GetProperty("duplicates").GetInt64());
        Assert.Equal(0, loss.GetProperty("receiver").GetInt64());
        Assert.Equal(0, result.GetProperty("loss_ratio").GetDouble());
        Assert.True(result.GetProperty("forwarded_per_second").GetDouble() > 0);
        Assert.True(result.GetProperty("cpu_us_per_forward").GetDouble() > 0);
        Assert.True(result.GetProperty("added_delay_us").GetProperty("p999").GetDouble() > 0);
    }

    private static async Task<JsonElement[]> Run(string scenario, string[] options, CancellationToken cancel)
    {
        var results = (await VoiceCommand.Measure(cancel, ["bench", scenario, "--quick", .. options])).EnumerateArray().ToArray();
        Assert.All(results, result => Assert.Equal([.. Stable, "details"], result.EnumerateObject().Select(field => field.Name)));
        return results;
    }
}
