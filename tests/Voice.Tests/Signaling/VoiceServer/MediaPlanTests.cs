using CsCheck;
using Voice.Protocol.Links;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class MediaPlanTests
{
    private enum Act
    {
        Add,
        Remove,
        SetFlags,
        Tell,
    }

    private static readonly Gen<(Act Act, uint Who, ulong Room, VoiceFlags Flags)[]> Acts = Gen
        .Select(Gen.Enum<Act>(), Gen.UInt[1, 12], Gen.ULong[1, 3], Gen.Int[0, 31].Select(bits => (VoiceFlags)bits))
        .Array[0, 80];

    [Fact]
    public void Deltas_add_up_to_the_snapshot_and_both_to_what_the_rooms_say() => Gen.Select(Acts, Gen.Int[0, 1]).Sample((acts, loudest) =>
    {
        var plan = new MediaPlan(loudest);
        var told = new MediaFold();
        var model = new Dictionary<uint, (ulong Room, VoiceFlags Flags)>();
        told.Apply(plan.TakeSnapshot([], []));
        foreach (var (act, who, room, flags) in acts)
        {
            switch (act)
            {
                case Act.Add when !model.ContainsKey(who):
                    model[who] = (room, flags);
                    plan.Add(Client(who, room, flags));
                    break;
                case Act.Remove:
                    model.Remove(who);
                    plan.Remove(who);
                    break;
                case Act.SetFlags when model.TryGetValue(who, out var before):
                    model[who] = before with { Flags = flags };
                    plan.SetFlags(who, flags, first: flags.HasFlag(VoiceFlags.SelfDeaf));
                    break;
                case Act.Tell when plan.TakeDelta() is { } delta:
                    told.Apply(delta);
                    break;
            }
        }

        if (plan.TakeDelta() is { } last) told.Apply(last);
        var whole = new MediaFold();
        whole.Apply(plan.TakeSnapshot([], []));
        var expected =
            from talker in model
            from listener in model
            where talker.Key != listener.Key && talker.Value.Room == listener.Value.Room && MaySpeak(talker.Value.Flags)
            select ((talker.Key * 8, listener.Key), GatesOf(talker.Value.Flags, listener.Value.Flags));

        Assert.Equal(whole.Tracks.OrderBy(track => track.Key), told.Tracks.OrderBy(track => track.Key));
        foreach (var fold in new[] { told, whole })
        {
            Assert.Equal(expected.Order(), fold.Subscriptions.Select(pair => (pair.Key, pair.Value.Gates)).Order());
            Assert.Equal(model.Keys.Order(), fold.Transports.Keys.Order());
            Assert.Equal(loudest * model.Values.Select(one => one.Room).Distinct().Count(), fold.Groups.Count);
            foreach (var room in fold.Tracks.Values.GroupBy(track => model[track.Transport].Room)) Assert.Single(room.Select(track => track.Group).Distinct());
            Assert.Equal(model.Where(one => MaySpeak(one.Value.Flags)).Select(one => one.Key).Order(), fold.Tracks.Values.Select(track => track.Transport).Order());
        }
    });

    [Fact]
    public void An_audience_of_two_thousand_subscribes_to_its_speakers_and_not_to_itself()
    {
        var plan = new MediaPlan();
        var told = new MediaFold();
        told.Apply(plan.TakeSnapshot([], []));
        for (uint i = 1; i <= 2000; i++) plan.Add(Client(i, 1, VoiceFlags.Suppress));
        for (uint i = 2001; i <= 2003; i++) plan.Add(Client(i, 1, VoiceFlags.None));
        told.Apply(plan.TakeDelta()!);
        Assert.Equal(3 * 2002, told.Subscriptions.Count);

        plan.SetFlags(1, VoiceFlags.None);
        told.Apply(plan.TakeDelta()!);
        Assert.Equal(4 * 2002, told.Subscriptions.Count);

        plan.SetFlags(1, VoiceFlags.Suppress);
        told.Apply(plan.TakeDelta()!);
        Assert.Equal(3 * 2002, told.Subscriptions.Count);
        Assert.Equal(3, told.Tracks.Count);
    }

    [Fact]
    public void A_join_costs_as_many_changes_as_there_are_people()
    {
        var plan = new MediaPlan();
        for (uint i = 1; i <= 100; i++) plan.Add(Client(i, 1, VoiceFlags.None));
        plan.TakeDelta();
        plan.Add(Client(101, 1, VoiceFlags.None));

        Assert.Equal(2 + 2 * 100, plan.TakeDelta()!.Changes.Length);
    }

    [Fact]
    public void Nothing_new_is_no_delta()
    {
        var plan = new MediaPlan();
        plan.Add(Client(1, 1, VoiceFlags.None));
        plan.TakeSnapshot([], []);
        plan.SetFlags(1, VoiceFlags.Mute);

        Assert.Null(plan.TakeDelta());
    }

    private static MediaClient Client(uint id, ulong room, VoiceFlags flags) =>
        new(new PutTransport(id, 0, 111, 1, new WebRtcPath("", "", "", [], [])), id * 8, new RoomId(1, room), flags);

    private static bool MaySpeak(VoiceFlags flags) => !flags.HasFlag(VoiceFlags.Suppress);

    /// <summary>The rule once more, written as a table.</summary>
    private static Gates GatesOf(VoiceFlags talker, VoiceFlags listener)
    {
        (VoiceFlags Flag, Gates Gate)[] talks = [(VoiceFlags.SelfMute, Gates.TalkerSelfMuted), (VoiceFlags.Mute, Gates.TalkerMuted)];
        (VoiceFlags Flag, Gates Gate)[] listens = [(VoiceFlags.SelfDeaf, Gates.ListenerSelfDeafened), (VoiceFlags.Deaf, Gates.ListenerDeafened)];
        return talks.Where(rule => talker.HasFlag(rule.Flag)).Concat(listens.Where(rule => listener.HasFlag(rule.Flag)))
            .Aggregate(Gates.None, (gates, rule) => gates | rule.Gate);
    }
}
