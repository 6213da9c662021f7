using Voice.Media;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

public sealed class WorkerTests : IDisposable
{
    private readonly VirtualSfu sfu = new();

    public void Dispose() => sfu.Dispose();

    [Fact]
    public void The_same_snapshot_again_changes_nothing_that_runs()
    {
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        var native = sfu.ConnectNative();
        MediaChange[] whole =
        [
            native.Put with { Path = native.Path with { SecretKey = [.. native.Path.SecretKey], Expected = [] } }, native.PutTrack,
            talker.Put, listener.Put.With(path => path with { RemoteFingerprint = new byte[32] }), talker.PutTrack, listener.PutTrack,
            new PutSubscription(talker.TrackSsrc, listener.Id, 9, Gates.None),
        ];
        sfu.Replace(whole);
        talker.Send(talker.Rtp());
        sfu.Replace(whole);
        talker.Send(talker.Rtp());

        var packets = listener.TakeRtp();

        Assert.Empty(sfu.Log);
        Assert.True(native.Transport.IsBound);
        Assert.Equal(1ul, packets[1].Index - packets[0].Index);
    }

    [Fact]
    public void What_a_snapshot_does_not_put_is_gone()
    {
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);

        sfu.Replace([talker.Put]);

        Assert.Equal([talker.Id], sfu.Worker.Transports.Keys);
        Assert.Empty(sfu.Worker.Tracks);
        Assert.Empty(sfu.Worker.Subscriptions);
        listener.Send(listener.Check());
        Assert.Equal(1, sfu.Drops(DropReason.StunUnknownUsername));
    }

    [Fact]
    public void A_dropped_transport_takes_its_tracks_and_subscriptions_along()
    {
        var (talker, listener, other) = (sfu.Connect(), sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        sfu.Subscribe(listener, talker);
        sfu.Subscribe(talker, other);

        sfu.Apply([new DropTransport(listener.Id)]);
        talker.Send(talker.Rtp());

        Assert.Single(sfu.Worker.Subscriptions);
        Assert.Single(other.TakeRtp());
        Assert.Empty(listener.TakeRtp());
    }

    [Fact]
    public void Dropping_what_is_not_there_is_fine()
    {
        sfu.Apply([new DropTransport(9), new DropTrack(9), new DropSubscription(9, 9)]);

        Assert.Empty(sfu.Log);
    }

    [Fact]
    public void A_command_that_makes_no_sense_is_refused_in_one_line_and_the_rest_is_applied()
    {
        var (talker, listener, native) = (sfu.Connect(), sfu.Connect(), sfu.AddNative());
        sfu.Subscribe(talker, listener, ssrc: 500);
        MediaChange[] senseless =
        [
            talker.Put with { OpusPayloadType = 5 },
            listener.Put with { Id = 77 },
            talker.Put.With(path => path with { LocalUfrag = "x", RemoteFingerprint = [] }) with { Id = 78 },
            talker.Put.With(path => path with { LocalUfrag = "y", Profiles = [2] }) with { Id = 79 },
            native.Put with { Path = native.Path with { SecretKey = new byte[32] } },
            native.Put with { Path = talker.Put.Path },
            native.Put with { Id = 80 },
            native.Put with { Id = 81, Path = native.Path with { Ssrc = 1, SecretKey = new byte[16] } },
            native.Put with { Id = 82, Path = native.Path with { Ssrc = 2, Mode = (EncryptionMode)9 } },
            native.Put with { Id = 83, Path = native.Path with { Ssrc = 3, Expected = new byte[18] } },
            talker.PutTrack with { ClockRate = 8000 },
            new PutTrack(1, 999, TrackKind.Audio, 48_000, 0),
            new PutTrack(1, talker.Id, TrackKind.Audio, 48_000, 0, Group: 9),
            talker.PutTrack with { Group = 9 },
            new PutGroup(0, 3),
            new PutGroup(4, 0),
            new PutSubscription(999, listener.Id, 1, Gates.None),
            new PutSubscription(talker.TrackSsrc, 999, 1, Gates.None),
            new PutSubscription(talker.TrackSsrc, listener.Id, 501, Gates.None),
            new PutSubscription(listener.TrackSsrc, listener.Id, 500, Gates.None),
        ];

        sfu.Apply([.. senseless, new PutSubscription(talker.TrackSsrc, talker.Id, 600, Gates.None)]);

        Assert.Equal(senseless.Length, sfu.Log.Count);
        Assert.Equal(senseless.Length, sfu.Drops(DropReason.CommandRefused));
        Assert.Equal(2, sfu.Worker.Subscriptions.Count);
    }

}
