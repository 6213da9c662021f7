using Microsoft.Extensions.Time.Testing;
using Voice.Client;
using Voice.Protocol.Ogg;
using Xunit;

namespace Voice.Tests.Client;

public class OpusPlayerTests
{
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    private readonly FakeTimeProvider time = new();
    private readonly List<TimeSpan> sent = [];
    private readonly long started;

    public OpusPlayerTests() => started = time.GetTimestamp();

    [Fact]
    public void Packets_go_out_at_their_times_and_lateness_does_not_add_up()
    {
        var playing = Play(count: 1000);
        // The clock is looked at every 7 ms: each packet is up to 6 ms late, the last as little as the first.
        while (!playing.IsCompleted) time.Advance(TimeSpan.FromMilliseconds(7));

        Assert.Equal(1000, sent.Count);
        for (var i = 0; i < sent.Count; i++) Assert.InRange(sent[i] - i * FrameTime, TimeSpan.Zero, TimeSpan.FromMilliseconds(6));
    }

    [Fact]
    public void After_a_standstill_the_schedule_begins_anew_instead_of_a_burst()
    {
        var playing = Play(count: 20);
        time.Advance(FrameTime);
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(3, sent.Count);
        while (!playing.IsCompleted) time.Advance(FrameTime);

        Assert.All(sent.Skip(2).Zip(sent.Skip(3)), pair => Assert.Equal(FrameTime, pair.Second - pair.First));
    }

    private Task Play(int count)
    {
        return OpusPlayer.SendAsync(
            packet =>
            {
                sent.Add(time.GetElapsedTime(started));
                return ValueTask.CompletedTask;
            },
            Packets(), null, time, TestContext.Current.CancellationToken);

        async IAsyncEnumerable<OpusPacket> Packets()
        {
            await Task.CompletedTask;
            for (var i = 0; i < count; i++) yield return new OpusPacket(OpusToc.SilenceFrame.ToArray(), OpusToc.SilenceSamples);
        }
    }
}
