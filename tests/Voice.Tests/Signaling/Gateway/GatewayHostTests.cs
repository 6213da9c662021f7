using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Voice.Client;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling;
using Voice.Signaling.Gateway;
using Xunit;
using Channel = System.Threading.Channels.Channel;

namespace Voice.Tests.Signaling.Gateway;

public class GatewayHostTests
{
    private static readonly Snowflake Ann = 11;
    private static readonly Snowflake Bob = 12;
    private static readonly Snowflake Guild = 500;
    private static readonly Snowflake Lounge = 501;

    [Fact]
    public async Task A_client_gets_ready_then_its_guilds_then_for_op_4_the_state_before_the_server()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Ann);
        var events = new List<GatewayEvent>();
        await using var client = await gateway.Connect(Ann, new GatewayClientOptions { OnEvent = events.Add });

        var assignment = await client.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(new VoiceAssignment(Guild, Lounge, Ann, "voice-session", "voice-token", "127.0.0.1:8090"), assignment);
        Assert.Equal(
            [typeof(GatewayEvent.Ready), typeof(GatewayEvent.GuildCreate), typeof(GatewayEvent.VoiceStateUpdate), typeof(GatewayEvent.VoiceServerUpdate)],
            events.Select(e => e.GetType()));
        Assert.Equal([new UnavailableGuild(Guild)], client.Ready.Guilds);
    }

    [Fact]
    public async Task The_same_port_serves_wss_and_tells_its_clients_to_come_back_by_it()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Ann);
        var options = new GatewayClientOptions { CheckCertificate = (_, certificate, _, _) => certificate!.Issuer.StartsWith("CN=Voice private CA", StringComparison.Ordinal) };

        await using var client = await GatewayClient.ConnectAsync(
            new Uri($"wss://127.0.0.1:{gateway.Host.Port}"), gateway.Token(Ann), options, TestContext.Current.CancellationToken);

        Assert.Equal($"wss://127.0.0.1:{gateway.Host.Port}", client.Ready.ResumeGatewayUrl);
    }

    [Fact]
    public async Task Voice_states_go_to_all_members_and_the_server_to_the_one_who_joined()
    {
        await using var gateway = await TestGateway.Start();
        var guild = await gateway.Guilds.MakeGuild(Guild, Ann, Bob);
        var heard = Channel.CreateUnbounded<GatewayEvent>();
        await using var ann = await gateway.Connect(Ann);
        await using var bob = await gateway.Connect(Bob, new GatewayClientOptions { OnEvent = e => heard.Writer.TryWrite(e) });
        await Until<GatewayEvent.GuildCreate>(heard.Reader);

        await ann.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);
        guild.Send(new GuildEvent("END", "{}"u8.ToArray(), null));

        Assert.Equal(Ann, Assert.IsType<GatewayEvent.VoiceStateUpdate>(await Next(heard.Reader)).State.UserId);
        Assert.IsType<GatewayEvent.Other>(await Next(heard.Reader));
    }

    [Fact]
    public async Task A_lost_socket_is_resumed_and_what_was_missed_comes_in_order()
    {
        await using var gateway = await TestGateway.Start();
        var guild = await gateway.Guilds.MakeGuild(Guild, Ann);
        var heard = Channel.CreateUnbounded<GatewayEvent>();
        await using var client = await gateway.Connect(Ann, new GatewayClientOptions { OnEvent = e => heard.Writer.TryWrite(e) });
        await Until<GatewayEvent.GuildCreate>(heard.Reader);

        client.Drop();
        for (var i = 0; i < 20; i++) guild.Send(new GuildEvent($"MISSED_{i}", "{}"u8.ToArray(), null));

        for (var i = 0; i < 20; i++) Assert.Equal($"MISSED_{i}", Assert.IsType<GatewayEvent.Other>(await Next(heard.Reader)).Type);
        Assert.IsType<GatewayEvent.Resumed>(await Next(heard.Reader));
        Assert.Empty(guild.EndedSessions);
    }

    [Fact]
    public async Task A_client_that_says_goodbye_leaves_voice_at_once()
    {
        await using var gateway = await TestGateway.Start();
        var guild = await gateway.Guilds.MakeGuild(Guild, Ann);
        var client = await gateway.Connect(Ann);
        await client.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);

        await client.DisposeAsync();

        await guild.Ended.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal([client.Ready.SessionId], guild.EndedSessions);
    }

    [Fact]
    public async Task Silence_closes_4009_and_leaves_the_session_to_be_resumed_until_its_time_is_over()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var gateway = await TestGateway.Start(time);
        var guild = await gateway.Guilds.MakeGuild(Guild, Ann);
        using var first = await gateway.ConnectRaw();
        var session = await Identify(gateway, first);
        await first.Send($$$"""{"op":4,"d":{"guild_id":"{{{Guild}}}","channel_id":"{{{Lounge}}}"}}""");
        await first.Until(0, "VOICE_SERVER_UPDATE");

        time.Advance(GatewayConnection.HeartbeatInterval + GatewayConnection.HeartbeatTolerance);
        Assert.Equal(4009, await first.Closed());

        using var second = await gateway.ConnectRaw();
        await second.Send($$$"""{"op":6,"d":{"token":"{{{gateway.Token(Ann)}}}","session_id":"{{{session}}}","seq":4}}""");
        Assert.Equal(5, (await second.Until(0)).GetProperty("s").GetInt32());
        second.Dispose();

        while (!guild.Ended.Task.IsCompleted)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        Assert.Equal([session], guild.EndedSessions);
    }

    [Theory]
    [InlineData("unknown", 3)]
    [InlineData(null, -1)]
    [InlineData(null, 100)]
    public async Task A_resume_that_can_not_be_is_answered_op_9_or_4007(string? session, int sequence)
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Ann);
        using var first = await gateway.ConnectRaw();
        var known = await Identify(gateway, first);
        using var second = await gateway.ConnectRaw();

        await second.Send($$$"""{"op":6,"d":{"token":"{{{gateway.Token(Ann)}}}","session_id":"{{{session ?? known}}}","seq":{{{sequence}}}}}""");

        if (session is null)
        {
            Assert.Equal(4007, await second.Closed());
            return;
        }

        Assert.False((await second.Until(9)).GetProperty("d").GetBoolean());
        await Identify(gateway, second);
    }

    [Fact]
    public async Task Another_users_session_can_not_be_resumed()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Ann, Bob);
        using var ann = await gateway.ConnectRaw();
        var session = await Identify(gateway, ann);
        using var bob = await gateway.ConnectRaw();

        await bob.Send($$$"""{"op":6,"d":{"token":"{{{gateway.Token(Bob)}}}","session_id":"{{{session}}}","seq":1}}""");

        Assert.False((await bob.Until(9)).GetProperty("d").GetBoolean());
    }

    [Theory]
    [InlineData("v=10&encoding=json", """{"op":2,"d":{"token":"a.b.c"}}""", 4004)]
    [InlineData("v=9", """{"op":6,"d":{"token":"a.b.c","session_id":"s","seq":1}}""", 4004)]
    [InlineData("v=10", """{"op":4,"d":{}}""", 4003)]
    [InlineData("v=10", "no json", 4002)]
    [InlineData("v=6&encoding=json", null, 4012)]
    public async Task Close_codes_reach_the_client(string query, string? message, int code)
    {
        await using var gateway = await TestGateway.Start();
        using var socket = await gateway.ConnectRaw(query);

        if (message is not null) await socket.Send(message);

        Assert.Equal(code, await socket.Closed());
    }

    [Fact]
    public async Task The_close_code_for_a_long_message_reaches_a_client_that_still_sends()
    {
        await using var gateway = await TestGateway.Start();
        using var socket = await gateway.ConnectRaw();

        await socket.Send(new string(' ', 200_000));

        Assert.Equal(4002, await socket.Closed());
    }

    [Fact]
    public async Task Encodings_other_than_json_are_refused_before_the_upgrade()
    {
        await using var gateway = await TestGateway.Start();

        await Assert.ThrowsAsync<WebSocketException>(() => gateway.ConnectRaw("v=10&encoding=etf"));
    }

    [Fact]
    public async Task A_failing_guild_closes_4000_and_leaves_no_session()
    {
        await using var gateway = await TestGateway.Start();
        (await gateway.Guilds.MakeGuild(Guild, Ann)).Fault = new TimeoutException("storage");
        using var socket = await gateway.ConnectRaw();

        await socket.Send($$$"""{"op":2,"d":{"token":"{{{gateway.Token(Ann)}}}"}}""");

        Assert.Equal(4000, await socket.Closed());
    }

    [Fact]
    public async Task A_user_has_so_many_sessions_and_the_lost_ones_make_room()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Ann);
        var sockets = new List<RawSocket>();
        for (var i = 0; i < GatewaySessions.MaxSessionsPerUser; i++)
        {
            sockets.Add(await gateway.ConnectRaw());
            await Identify(gateway, sockets[i]);
        }

        using var refused = await gateway.ConnectRaw();
        await refused.Send($$$"""{"op":2,"d":{"token":"{{{gateway.Token(Ann)}}}"}}""");
        Assert.Equal(4008, await refused.Closed());

        await sockets[5].Send("not json");
        Assert.Equal(4002, await sockets[5].Closed());
        using var admitted = await gateway.ConnectRaw();
        await Identify(gateway, admitted);
        sockets.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task Op_5_asks_the_guilds_in_which_the_session_is_in_voice()
    {
        await using var gateway = await TestGateway.Start();
        var (guild, other) = (await gateway.Guilds.MakeGuild(Guild, Ann), await gateway.Guilds.MakeGuild(600, Ann));
        await using var client = await gateway.Connect(Ann);
        await client.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);

        await client.PingVoiceServer(TestContext.Current.CancellationToken);
        await client.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal([Ann], guild.Pings);
        Assert.Empty(other.Pings);
    }

    [Fact]
    public async Task A_user_is_in_voice_in_one_guild_at_a_time()
    {
        await using var gateway = await TestGateway.Start();
        var first = await gateway.Guilds.MakeGuild(Guild, Ann);
        await gateway.Guilds.MakeGuild(600, Ann);
        await using var client = await gateway.Connect(Ann);

        await client.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);
        await client.Join(600, 601, cancellation: TestContext.Current.CancellationToken);
        await client.Join(600, 601, cancellation: TestContext.Current.CancellationToken); // handled after all of the first

        Assert.Equal([Lounge, null], first.Updates.Select(u => u.Update.ChannelId));
    }

    [Fact]
    public async Task A_refused_join_ends_no_call()
    {
        await using var gateway = await TestGateway.Start();
        var first = await gateway.Guilds.MakeGuild(Guild, Ann);
        (await gateway.Guilds.MakeGuild(600, Ann)).RefusesJoins = true;
        await using var client = await gateway.Connect(Ann);

        await client.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);
        await client.SetVoiceState(600, 601, cancellation: TestContext.Current.CancellationToken);
        await client.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal([Lounge, Lounge], first.Updates.Select(u => u.Update.ChannelId));
    }

    [Fact]
    public async Task A_shard_is_not_told_of_a_guild_that_is_anothers()
    {
        await using var gateway = await TestGateway.Start();
        Snowflake mine = 2ul << 22, others = 3ul << 22;
        using var socket = await gateway.ConnectRaw();
        await socket.Send($$$"""{"op":2,"d":{"token":"{{{gateway.Token(Ann)}}}","shard":[0,2]}}""");
        await socket.Until(0, "READY");

        foreach (var guild in new[] { others, mine })
        {
            await gateway.Guilds.MakeGuild(guild);
            var member = $"/api/v10/guilds/{guild}/members/{Ann}";
            Assert.Equal(201, (await gateway.Request(HttpMethod.Put, member, gateway.Token(1, administrator: true), new { })).Status);
        }

        Assert.Equal(mine.ToString(), (await socket.Until(0)).GetProperty("d").GetProperty("id").GetString());
    }

    [Fact]
    public async Task Op_4_for_a_guild_that_is_not_the_users_is_not_passed_on()
    {
        await using var gateway = await TestGateway.Start();
        var foreign = await gateway.Guilds.MakeGuild(600, Bob);
        await gateway.Guilds.MakeGuild(Guild, Ann);
        await using var client = await gateway.Connect(Ann);

        await client.SetVoiceState(600, 601, cancellation: TestContext.Current.CancellationToken);
        await client.Join(Guild, Lounge, cancellation: TestContext.Current.CancellationToken);

        Assert.Empty(foreign.Updates);
    }

    [Fact]
    public async Task A_stopping_gateway_asks_its_clients_to_reconnect()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Ann);
        using var socket = await gateway.ConnectRaw();
        await Identify(gateway, socket);

        var stopping = gateway.Host.StopAsync(TestContext.Current.CancellationToken);

        await socket.Until(7);
        Assert.Equal(4000, await socket.Closed());
        await stopping;
        await gateway.Host.Completion;
    }

    [Theory]
    [InlineData("--port")]
    [InlineData("--link-port")]
    public async Task A_port_in_use_is_one_line_that_names_it(string option)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var data = Directory.CreateTempSubdirectory("voice-").FullName;
        var options = new GatewayOptions { DataDirectory = data, Port = 0, LinkPort = 0 };
        options = option == "--port" ? options with { Port = port } : options with { LinkPort = port };

        var refusal = await Assert.ThrowsAsync<StartupException>(() => GatewayHost.StartAsync(options, TestContext.Current.CancellationToken));

        Assert.Equal($"port {port} on 127.0.0.1 is in use: stop the other program or pass {option}", refusal.Message);
        Directory.Delete(data, recursive: true);
    }

    private static async Task<string> Identify(TestGateway gateway, RawSocket socket)
    {
        await socket.Send($$$"""{"op":2,"d":{"token":"{{{gateway.Token(Ann)}}}","intents":129}}""");
        var ready = await socket.Until(0, "READY");
        await socket.Until(0, "GUILD_CREATE");
        return ready.GetProperty("d").GetProperty("session_id").GetString()!;
    }

    private static ValueTask<GatewayEvent> Next(ChannelReader<GatewayEvent> events) => events.ReadAsync(TestContext.Current.CancellationToken);

    private static async Task Until<T>(ChannelReader<GatewayEvent> events)
    {
        while (await Next(events) is not T)
        {
        }
    }
}
