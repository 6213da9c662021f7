using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Voice.Protocol.Links;
using Voice.Signaling;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Voice.VoiceAllocator;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

/// <summary>A guild's pump against a real fleet with one node, in virtual time.</summary>
public class CallPumpTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly SteppingTime time = new();
    private readonly VoiceWorld world = new();
    private readonly MemoryState<EpochRecord> stored = new();
    private readonly FakeAllocator allocator = new();
    private readonly FakeLink node = new();
    private readonly CallPump pump;
    private readonly Watch<GuildEvent> published = new();
    private int toldWhenDropped;

    public CallPumpTests()
    {
        allocator.Link = node;
        node.Pump = pump = new CallPump(
            VoiceWorld.GuildId.Value, world.Voice, new Epochs(new StoredState<EpochRecord>(stored)), allocator, new VoiceTokenKey(new byte[32]), Published, time, NullLogger.Instance);
    }

    [Fact]
    public async Task A_call_that_nobody_stored_is_ended_and_its_epoch_never_given_again()
    {
        await pump.Hosted(new HostedGuild(VoiceWorld.GuildId.Value, "", 7), "node", node);
        Assert.Equal([new GuildDrop(VoiceWorld.GuildId.Value, "", 7)], node.Drops);

        world.Join(1, "s1", VoiceWorld.Lounge);
        await pump.Run();

        Assert.Equal([8L], node.Pushes.Select(push => push.Epoch));
    }

    [Fact]
    public async Task A_call_from_the_store_is_adopted_and_not_remade()
    {
        world.Voice.Restore(Stored(node: "node", epoch: 7));
        node.Revision = 40; // from before
        node.Connected = [1];

        await pump.Run();

        Assert.Empty(allocator.Requests.All);
        Assert.Equal([(7L, true), (7L, true)], node.Pushes.Select(push => (push.Epoch, push.Whole)));
        Assert.Equal(41, node.Pushes[^1].Revision);
        Assert.Equal(VoiceConnection.Live, world.Voice.Find(1)!.Connection);
        Assert.Empty(published.All);
        Assert.Empty(node.Drops);
    }

    [Fact]
    public async Task A_node_that_takes_its_time_to_come_back_keeps_its_calls()
    {
        world.Voice.Restore(Stored(node: "late", epoch: 7));
        await pump.Run();
        Assert.Empty(node.Pushes);

        time.Advance(CallPump.AdoptWithin - Second);
        allocator.AddNode("late");
        await pump.Hosted(new HostedGuild(VoiceWorld.GuildId.Value, "", 7), "late", node);
        await pump.Run();

        Assert.Empty(allocator.Requests.All);
        Assert.Equal([7L], node.Pushes.Select(push => push.Epoch));
        Assert.Empty(node.Drops);
    }

    [Fact]
    public async Task A_call_whose_node_does_not_come_back_gets_another_one()
    {
        world.Voice.Restore(Stored(node: "lost", epoch: 7));
        await pump.Hosted(new HostedGuild(VoiceWorld.GuildId.Value, "former", 7), "node", new FakeLink()); // so the epoch is known
        await pump.Run();
        Assert.Empty(node.Pushes);

        time.Advance(CallPump.AdoptWithin);
        await published.Until(all => all.Any(one => one is { Type: "VOICE_SERVER_UPDATE", OnlySession: "s1" }) ? all : null);

        Assert.Equal(8, Assert.Single(node.Pushes).Epoch);
    }

    [Fact]
    public async Task A_call_whose_node_came_back_elsewhere_waits_for_nothing()
    {
        world.Voice.Restore(Stored(node: "node", epoch: 7));
        allocator.MoveNode();

        await pump.Run();

        Assert.Single(allocator.Requests.All);
        Assert.Single(node.Pushes);
        Assert.Equal("moved.example:443", world.Voice.Slot("")!.Assignment!.Endpoint);
    }

    [Fact]
    public async Task Who_left_while_their_call_had_no_way_to_its_node_has_left()
    {
        world.Voice.Restore(Stored(node: "late", epoch: 7));
        await pump.Run();
        world.Voice.SessionEnded(1, "s1");
        await pump.Run();

        Assert.True(world.Voice.IsIdle);
    }

    [Fact]
    public async Task A_call_that_waits_for_a_node_asks_again()
    {
        allocator.LoseNode();
        world.Join(1, "s1", VoiceWorld.Lounge);
        await pump.Run();
        Assert.Single(allocator.Requests.All);

        allocator.AddNode(); // and nobody says so
        time.Advance(CallPump.AskAgain);

        Assert.Single(await node.Pushed.Until(all => all.Length > 0 ? all : null));
    }

    [Fact]
    public async Task Whatever_fails_there_is_one_retry_a_second()
    {
        world.Change(VoiceWorld.Games, channel => channel with { RtcRegion = "eu" });
        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Join(2, "s2", VoiceWorld.Games);
        stored.Fails = true;
        await pump.Run();

        for (var round = 2; round < 8; round++)
        {
            time.Advance(Second);
            await allocator.Requests.Until(all => all.Length >= 2 * round ? all : null);
            await pump.Run();
            Assert.Equal(2 * round, allocator.Requests.All.Length);
        }
    }

    [Fact]
    public async Task An_assignment_whose_epoch_could_not_be_stored_is_given_back()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        stored.Fails = true;
        await pump.Run();
        Assert.Empty(allocator.Fleet.On("node"));
        Assert.Empty(node.Pushes);

        stored.Fails = false;
        world.Voice.Touch();
        await pump.Run();

        Assert.Equal(
            [(AssignmentChange.Assigned, 1L), (AssignmentChange.Released, 1L), (AssignmentChange.Assigned, 2L)],
            allocator.Fleet.TakeEvents().Select(one => (one.Change, one.Assignment.Epoch)));
        Assert.Equal([2L], node.Pushes.Select(push => push.Epoch));
    }

    [Theory]
    [InlineData(2)] // the guild's own next
    [InlineData(1)] // one that an attempt took which came to nothing
    public async Task A_guild_goes_where_the_allocator_kept_it_a_place_without_asking_again(long leastEpoch)
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        await pump.Run();
        var place = allocator.Fleet.Assign(VoiceWorld.GuildId.Value, "", null, leastEpoch, null, TimeSpan.Zero)!;
        pump.NodeLost("", 1, new Placed(place, node));
        await pump.Run();

        Assert.Single(allocator.Requests.All);
        Assert.Equal([1L, 2L], node.Pushes.Select(push => push.Epoch));
        Assert.Equal(2, Assert.Single(allocator.Fleet.On("node")).Epoch);
    }

    [Fact]
    public async Task A_call_that_ended_while_it_had_no_node_does_not_move_when_it_begins_again()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        await pump.Run();
        allocator.LoseNode();
        pump.NodeLost("", 1, next: null);
        await pump.Run();
        world.Voice.SessionEnded(1, "s1");
        await pump.Run();

        allocator.AddNode();
        world.Join(1, "s1", VoiceWorld.Lounge);
        await pump.Run();

        Assert.Equal([AssignmentChange.Assigned, AssignmentChange.Assigned], allocator.Fleet.TakeEvents().Select(one => one.Change));
    }

    [Fact]
    public async Task An_answer_that_was_put_off_is_given_when_its_time_comes()
    {
        world.Join(1, "s1", VoiceWorld.Lounge, pump.Now);
        await pump.Run();
        for (var round = 0; round < 2; round++)
        {
            world.Join(1, "s1", VoiceWorld.Lounge, pump.Now);
            await pump.Run();
        }

        Assert.Equal(2, ServerUpdates);
        time.Advance(RejoinDelay.First - TimeSpan.FromMilliseconds(1));
        await pump.Run();
        Assert.Equal(2, ServerUpdates);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await published.Until(all => all.Count(one => one.Type == "VOICE_SERVER_UPDATE") == 3 ? all : null);
    }

    /// <summary>The clock goes on between one look at it and the next.</summary>
    [Theory]
    [InlineData(0.4)]
    [InlineData(100)]
    [InlineData(400)]
    [InlineData(600)]
    public async Task An_answer_that_falls_due_while_nobody_looks_is_given_all_the_same(double millisecondsPerLook)
    {
        world.Join(1, "s1", VoiceWorld.Lounge, pump.Now);
        await pump.Run();
        for (var round = 0; round < 2; round++)
        {
            world.Join(1, "s1", VoiceWorld.Lounge, pump.Now);
            time.PerLook = round == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(millisecondsPerLook);
            await pump.Run();
        }

        time.PerLook = TimeSpan.Zero;
        for (var waited = TimeSpan.Zero; waited <= RejoinDelay.First; waited += TimeSpan.FromMilliseconds(1))
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            await pump.Run();
        }

        await published.Until(all => all.Count(one => one.Type == "VOICE_SERVER_UPDATE") == 3 ? all : null);
    }

    [Fact]
    public async Task A_move_goes_to_the_next_node_then_to_clients_then_to_the_former_node()
    {
        var next = await MoveTo(new FakeLink { Pump = pump });

        Assert.Equal([2L], next.Pushes.Select(push => push.Epoch));
        Assert.Equal(2, ServerUpdates);
        Assert.Equal([new GuildDrop(VoiceWorld.GuildId.Value, "", 1, OverlapMillis: (int)SlotCall.Overlap.TotalMilliseconds)], node.Drops);
        Assert.Equal(2, toldWhenDropped);
    }

    [Fact]
    public async Task What_the_former_node_reports_in_the_overlap_ends_nothing()
    {
        await MoveTo(new FakeLink { Pump = pump });

        await pump.Hosted(new HostedGuild(VoiceWorld.GuildId.Value, "", 1), "node", node);

        Assert.Single(node.Drops);
        Assert.Equal(2, Assert.Single(allocator.Fleet.On("next")).Epoch);
    }

    [Fact]
    public async Task A_next_node_that_does_not_answer_leaves_the_call_where_it_is()
    {
        var silent = new FakeLink { Answers = false };
        var moving = MoveTo(silent);
        await silent.Pushed.Until(all => all.Length == 1 ? all : null);
        await pump.Hosted(new HostedGuild(VoiceWorld.GuildId.Value, "", 1), "node", node); // the allocator knows of the other alone
        while (!moving.IsCompleted)
        {
            time.Advance(CallPump.AckTimeout);
            await Task.Yield();
        }

        Assert.Equal(1, ServerUpdates);
        Assert.Empty(node.Drops);
        Assert.All(silent.Drops, drop => Assert.Equal(0, drop.OverlapMillis));
        Assert.Equal(1, Assert.Single(allocator.Fleet.On("node")).Epoch);
    }

    [Fact]
    public async Task A_node_that_dies_while_the_next_is_asked_is_told_of_by_the_next()
    {
        var slow = new FakeLink { Answers = false };
        var moving = MoveTo(slow);
        var push = (await slow.Pushed.Until(all => all.Length == 1 ? all : null))[0];
        pump.NodeLost("", 1, next: null);
        pump.Acknowledged(new GuildAck(push.Guild, push.Slot, push.Epoch, push.Revision, NeedWhole: false));
        await moving;

        Assert.Equal(2, ServerUpdates);
        Assert.Empty(node.Drops);
        Assert.Equal(2, world.Voice.Slot("")!.Assignment!.Epoch);
    }

    [Fact]
    public async Task Where_there_is_nowhere_to_go_it_stays()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        await pump.Run();
        allocator.DrainNode();
        pump.Move("", 1);
        await pump.Run();

        Assert.Empty(node.Drops);
        Assert.Equal((1, 1L), (ServerUpdates, world.Voice.Slot("")!.Assignment!.Epoch));
    }

    private async Task<FakeLink> MoveTo(FakeLink next)
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        await pump.Run();
        allocator.AddNode("next", next);
        allocator.DrainNode();
        node.Dropped = () => toldWhenDropped = ServerUpdates;
        pump.Move("", 1);
        await pump.Run();
        return next;
    }

    private Task Published(GuildEvent[] events)
    {
        foreach (var one in events) published.Add(one);
        return Task.CompletedTask;
    }

    private static VoiceRecord Stored(string node, long epoch) => new()
    {
        Assignments = [new Assignment(VoiceWorld.GuildId.Value, "", node, "node.example:2048", "local", epoch)],
        Participants = [new ParticipantRecord(1, VoiceWorld.Lounge, "", "voice-session", "s1", null, ParticipantFlags.None, epoch, Announced: true)],
    };

    private int ServerUpdates => published.All.Count(one => one.Type == "VOICE_SERVER_UPDATE");

    private sealed class SteppingTime : FakeTimeProvider
    {
        public TimeSpan PerLook { get; set; }

        public override long GetTimestamp()
        {
            var now = base.GetTimestamp();
            Advance(PerLook);
            return now;
        }
    }

    private sealed class FakeLink : INodeLink
    {
        public CallPump? Pump { get; set; }

        public bool Answers { get; set; } = true;

        public Action Dropped { get; set; } = () => { };

        public Watch<GuildUpdate> Pushed { get; } = new();

        public List<GuildUpdate> Pushes { get; } = [];

        public List<GuildDrop> Drops { get; } = [];

        /// <summary>What it has: an older one is not taken.</summary>
        public long Revision { get; set; }

        public ulong[] Connected { get; set; } = [];

        public Task Push(GuildUpdate update)
        {
            Pushes.Add(update);
            Pushed.Add(update);
            if (!Answers) return Task.CompletedTask;
            Revision = Math.Max(Revision, update.Revision);
            Pump!.Acknowledged(new GuildAck(update.Guild, update.Slot, update.Epoch, Revision, NeedWhole: false, Connected));
            return Task.CompletedTask;
        }

        public Task Drop(GuildDrop drop)
        {
            Drops.Add(drop);
            Dropped();
            return Task.CompletedTask;
        }

        public Task Ping() => Task.CompletedTask;
    }

    /// <summary>What <see cref="AllocatorGrain"/> does, without telling guilds.</summary>
    private sealed class FakeAllocator : IAllocatorGrain
    {
        private static readonly NodeIdentity Node = new("node", "1", "local", "node.example:2048");
        private TimeSpan now;

        private readonly Dictionary<string, INodeLink> links = [];

        public FakeAllocator() => AddNode();

        public Fleet Fleet { get; } = new(new Neighbours(), new Random(1), TimeSpan.Zero);

        public INodeLink Link { get; set; } = null!;

        public Watch<AssignmentRequest> Requests { get; } = new();

        public void AddNode(string id = "node")
        {
            var node = Node with { Id = id };
            Fleet.Register(node, "link", "observer", now += TimeSpan.FromMinutes(1));
            Fleet.Report(node.Id, node.Incarnation, "link", new NodeReport(0, 0, 0, 0, 0, true, []), now);
        }

        public void AddNode(string id, INodeLink link)
        {
            links[id] = link;
            Fleet.Register(Node with { Id = id }, "link", "observer", now);
            Fleet.Report(id, Node.Incarnation, "link", new NodeReport(0, 0, 0, 0, 0, true, []), now);
        }

        public void DrainNode() => Fleet.Drain(Node.Id, true, now);

        /// <summary>Another one has its name, and is not ready.</summary>
        public void LoseNode()
        {
            Fleet.Register(Node with { Incarnation = "2" }, "link", "observer", now += TimeSpan.FromMinutes(1));
            Fleet.TakeLost(now);
        }

        public Task<Placed?> Assign(AssignmentRequest request)
        {
            var assignment = Fleet.Assign(request.Guild, request.Slot, request.Region, request.Epoch, request.Avoid, now, request.Move);
            Requests.Add(request);
            return Task.FromResult(assignment is null ? null : new Placed(assignment, LinkOf(assignment)));
        }

        /// <summary>It was started anew, on another port.</summary>
        public void MoveNode()
        {
            var moved = Node with { Incarnation = "2", Endpoint = "moved.example:443" };
            Fleet.Register(moved, "link", "observer", now += TimeSpan.FromMinutes(1));
            Fleet.Report(moved.Id, moved.Incarnation, "link", new NodeReport(0, 0, 0, 0, 0, true, []), now);
        }

        public Task<bool> HasMoved(Assignment assignment) => Task.FromResult(Fleet.HasMoved(assignment));

        public Task<Placed?> Claim(Assignment assignment) =>
            Task.FromResult(Fleet.Claim(assignment, now) ? new Placed(assignment, LinkOf(assignment)) : null);

        private INodeLink LinkOf(Assignment assignment) => links.GetValueOrDefault(assignment.NodeId, Link);

        public Task Release(ulong guild, string slot, long epoch)
        {
            Fleet.Release(guild, slot, epoch);
            return Task.CompletedTask;
        }

        public Task<bool> Probe(string nodeId) => Task.FromResult(Fleet.Find(nodeId) is not null);

        public Task<bool> Register(NodeIdentity node, string link, string observer, INodeLink reference) => throw new NotSupportedException();

        public Task<bool> Report(string nodeId, string incarnation, string link, NodeReport report) => throw new NotSupportedException();

        public Task Vote(VoteSheet sheet) => throw new NotSupportedException();

        public Task LinkLost(string nodeId, string incarnation, string link) => throw new NotSupportedException();

        public Task<bool> Drain(string nodeId, bool on) => throw new NotSupportedException();

        public Task<NodeStatus[]> Nodes() => throw new NotSupportedException();

        public Task Subscribe(IAssignmentObserver observer) => throw new NotSupportedException();

        public Task Unsubscribe(IAssignmentObserver observer) => throw new NotSupportedException();
    }
}
