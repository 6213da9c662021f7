using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Voice.Protocol.Links;
using Voice.Signaling;
using Voice.Signaling.Gateway.Allocation;
using Voice.Signaling.Gateway.Guilds;
using Voice.Signaling.Gateway.Probing;
using Voice.Tests.Signaling.Guilds;
using Voice.VoiceAllocator;
using Xunit;

namespace Voice.Tests.Signaling.Allocation;

/// <summary>The gateway's end of the node link, over a pair of pipes, against a node written by hand.</summary>
public class NodeLinkTests(GuildSilo silo) : IClassFixture<GuildSilo>
{
    private static readonly byte[] Secret = "the secret of this whole cluster"u8.ToArray();
    private static readonly byte[] Certificate = SHA256.HashData([1]);

    private readonly FakeTimeProvider time = new();

    [Fact]
    public async Task A_node_that_knows_the_secret_is_let_in_reports_and_leaves()
    {
        await using var peer = Connect();
        await peer.Prove(Secret, Certificate);

        var given = await Serve(peer, 424242);
        await peer.Send(new NodeReport(0.1, 0.5, 0.2, 7, 0, true, [new HostedGuild(424242, "", given.Epoch + 3)]));
        var drop = await peer.Receive<GuildDrop>();

        Assert.Equal(new GuildDrop(424242, "", given.Epoch + 3), drop);
        var node = Assert.Single(await silo.Allocator.Nodes(), node => node.NodeId == peer.NodeId);
        Assert.InRange(node.Utilisation, 0.5, 0.5 + VoiceNode.AssignmentCost);
        Assert.Equal((7, true), (node.Sessions, node.Usable));

        await External(424242).LetGo();
        peer.HangUp();
        await peer.Ended;
        Assert.DoesNotContain(await silo.Allocator.Nodes(), node => node.NodeId == peer.NodeId && node.Usable);
    }

    [Fact]
    public async Task A_node_with_another_secret_is_refused()
    {
        await using var peer = Connect();
        await peer.Hello();
        await peer.Receive<GatewayChallenge>();
        await peer.Send(new NodeProof(new byte[32]));
        await peer.Ended;
        Assert.Equal(1, peer.Admission.Count(LinkRefusal.BadProof));
        Assert.DoesNotContain(await silo.Allocator.Nodes(), node => node.NodeId == peer.NodeId);
    }

    [Fact]
    public async Task The_gateway_proves_itself_first_and_only_for_its_own_certificate()
    {
        await using var peer = Connect();
        var nonce = await peer.Hello();
        var challenge = await peer.Receive<GatewayChallenge>();

        Assert.Equal(LinkProof.OfGateway(Secret, nonce, challenge.Nonce, Certificate), challenge.Proof);
        Assert.NotEqual(LinkProof.OfGateway(Secret, nonce, challenge.Nonce, SHA256.HashData([2])), challenge.Proof);
    }

    [Fact]
    public async Task A_man_in_the_middle_cannot_pass_the_nodes_proof_on()
    {
        await using var peer = Connect();
        var nonce = await peer.Hello();
        var challenge = await peer.Receive<GatewayChallenge>();

        // The node saw the certificate of the man in the middle, and proved for that one.
        await peer.Send(new NodeProof(LinkProof.OfNode(Secret, nonce, challenge.Nonce, SHA256.HashData([2]))));

        await peer.Ended;
        Assert.Equal(1, peer.Admission.Count(LinkRefusal.BadProof));
    }

    [Fact]
    public async Task The_gateways_own_proof_is_not_the_nodes()
    {
        await using var peer = Connect();
        await peer.Hello();
        var challenge = await peer.Receive<GatewayChallenge>();
        await peer.Send(new NodeProof(challenge.Proof));
        await peer.Ended;
        Assert.Equal(1, peer.Admission.Count(LinkRefusal.BadProof));
    }

    [Fact]
    public async Task Nothing_but_the_handshake_is_taken_before_the_proof()
    {
        await using var peer = Connect();
        await peer.Hello();
        await peer.Receive<GatewayChallenge>();
        await peer.Send(new NodeReport(0, 0, 0, 0, 0, true, []));
        await peer.Ended;
        Assert.Equal(1, peer.Admission.Count(LinkRefusal.BadMessage));
        Assert.DoesNotContain(await silo.Allocator.Nodes(), node => node.NodeId == peer.NodeId);
    }

    [Fact]
    public async Task A_large_frame_of_a_stranger_is_refused_by_its_length_alone()
    {
        await using var peer = Connect();
        await peer.SendRaw([0, 0x40, 0, 0]);
        await peer.Ended;
        Assert.Equal(1, peer.Admission.Count(LinkRefusal.BadMessage));
    }

    [Theory]
    [InlineData("", "local", "node.example:1")]
    [InlineData("No Capitals", "local", "node.example:1")]
    [InlineData("node", "a\nb", "node.example:1")]
    [InlineData("node", "local", "https://node.example/path")]
    [InlineData("node", "local", "")]
    public async Task A_hello_with_bad_names_is_refused(string id, string region, string endpoint)
    {
        await using var peer = Connect();
        await peer.Send(new NodeHello(NodeLinkHandshake.Version, id, "1", region, endpoint, LinkProof.NewNonce()));
        await peer.Ended;
        Assert.Equal(1, peer.Admission.Count(LinkRefusal.BadHello));
    }

    [Fact]
    public async Task A_stranger_that_says_nothing_is_dropped_after_five_seconds()
    {
        await using var peer = Connect();
        time.Advance(LinkAdmission.Timeout);
        await peer.Ended;
        Assert.Equal(1, peer.Admission.Count(LinkRefusal.Timeout));
    }

    [Fact]
    public async Task A_node_is_pinged_four_times_a_second_and_dropped_when_it_falls_silent()
    {
        await using var peer = Connect();
        await peer.Prove(Secret, Certificate);
        await Serve(peer, 434343);
        await External(434343).LetGo();

        time.Advance(HealthProbe.ProbePeriod);
        Assert.Equal(1, (await peer.Receive<NodePing>()).Number);
        time.Advance(TimeSpan.FromSeconds(3) - HealthProbe.ProbePeriod);
        await peer.Ended;
        Assert.Equal(1, peer.Admission.Count(LinkRefusal.Silent));
    }

    [Fact]
    public async Task A_second_node_of_the_same_name_is_turned_away()
    {
        await using var first = Connect();
        await first.Prove(Secret, Certificate);
        await Serve(first, 444444);
        await External(444444).LetGo();

        await using var second = Connect(first.NodeId);
        await second.Prove(Secret, Certificate);
        await second.Ended;
        Assert.Equal(1, second.Admission.Count(LinkRefusal.Duplicate));
        Assert.False(first.Ended.IsCompleted);
    }

    /// <summary>The node reports for the first time, and so is given a guild that has waited for one.</summary>
    private async Task<GuildUpdate> Serve(Peer node, ulong guild)
    {
        await External(guild).Hold(null, []);
        await node.Send(new NodeReport(0.1, 0.5, 0.2, 7, 0, true, []));
        var update = await node.Receive<GuildUpdate>();
        await node.Send(new GuildAck(update.Guild, update.Slot, update.Epoch, update.Revision, NeedWhole: false));
        return update;
    }

    private IExternalGuild External(ulong guild) => silo.Grains.GetGrain<IExternalGuild>((long)guild);

    private Peer Connect(string? id = null)
    {
        var admission = new LinkAdmission(
            Secret, "gateway", silo.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), time, NullLogger<LinkAdmission>.Instance);
        var (prober, media) = (silo.Services.GetRequiredService<NodeProber>(), silo.Services.GetRequiredService<MediaProber>());
        return new Peer(
            id ?? $"node-{Guid.NewGuid():N}", admission, pipe => new NodeLink(pipe, Certificate, "test", admission, prober, media, silo.Grains, time, NullLogger.Instance));
    }

    /// <summary>A node's end of the link.</summary>
    private sealed class Peer : IAsyncDisposable
    {
        private readonly Pipe up = new();
        private readonly Pipe down = new();
        private readonly NodeLink link;
        private readonly LinkConnection<NodeMessage, GatewayLinkMessage> connection;
        private readonly IAsyncEnumerator<GatewayLinkMessage> messages;

        public Peer(string id, LinkAdmission admission, Func<IDuplexPipe, NodeLink> connect)
        {
            (NodeId, Admission) = (id, admission);
            link = connect(new Duplex(up.Reader, down.Writer));
            connection = new LinkConnection<NodeMessage, GatewayLinkMessage>(new Duplex(down.Reader, up.Writer), 1 << 20);
            messages = connection.ReceiveAsync().GetAsyncEnumerator();
            Ended = link.Run(CancellationToken.None);
        }

        public LinkAdmission Admission { get; }

        public string NodeId { get; }

        /// <summary>The gateway let the link end.</summary>
        public Task Ended { get; }

        public async Task<byte[]> Hello()
        {
            var nonce = LinkProof.NewNonce();
            await Send(new NodeHello(NodeLinkHandshake.Version, NodeId, Guid.NewGuid().ToString("N"), "local", "node.example:1", nonce));
            return nonce;
        }

        public async Task Prove(byte[] secret, byte[] certificate)
        {
            var nonce = await Hello();
            var challenge = await Receive<GatewayChallenge>();
            await Send(new NodeProof(LinkProof.OfNode(secret, nonce, challenge.Nonce, certificate)));
            Assert.Equal("gateway", (await Receive<GatewayProof>()).GatewayId);
        }

        public async Task Send(NodeMessage message) => await connection.SendAsync(message);

        public async Task SendRaw(byte[] bytes) => await up.Writer.WriteAsync(bytes);

        public async Task<T> Receive<T>()
            where T : GatewayLinkMessage
        {
            while (await messages.MoveNextAsync())
            {
                if (messages.Current is T wanted) return wanted;
            }

            throw new InvalidOperationException("the gateway ended the link");
        }

        public void HangUp() => up.Writer.Complete();

        public async ValueTask DisposeAsync()
        {
            HangUp();
            await Ended;
            link.Dispose();
            connection.Dispose();
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
