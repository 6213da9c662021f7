using Orleans.Storage;
using Voice.Protocol.Gateway;
using Voice.Signaling;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public sealed class SqliteGrainStorageTests : IDisposable
{
    private static readonly GrainId Id = GrainId.Create("guild", "1");

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("voice-sqlite-");

    private string Database => Path.Combine(folder.FullName, "guilds.db");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task What_is_written_is_read_after_the_file_was_opened_again()
    {
        var guild = new GuildData { Id = 1, Name = "Ünï\"code", OwnerId = ulong.MaxValue, Region = "eu" };
        guild.Roles.Add(new Role(1, "@everyone") { Permissions = ulong.MaxValue });
        guild.Channels.Add(new Channel(2, ChannelType.Stage, "stage") { PermissionOverwrites = [new PermissionOverwrite(1, 0) { Deny = 7 }], RtcRegion = "us" });
        guild.Members[3] = new Member(new User(3, "three")) { Roles = [4, 5], Mute = true, JoinedAt = DateTimeOffset.UnixEpoch };
        using (var file = SqliteFile.Open(Database))
            await new SqliteGrainStorage(file).WriteStateAsync("guild", Id, new Stored<GuildRecord> { State = new() { Guild = guild } });

        using var again = SqliteFile.Open(Database);
        var read = new Stored<GuildRecord>();
        await new SqliteGrainStorage(again).ReadStateAsync("guild", Id, read);

        Assert.True(read.RecordExists);
        var json = System.Text.Json.JsonSerializer.Serialize(guild);
        Assert.Equal(json, System.Text.Json.JsonSerializer.Serialize(read.State.Guild));
        Assert.Contains("\"Mute\":true", json);
    }

    [Fact]
    public async Task What_was_never_written_is_new()
    {
        using var file = SqliteFile.Open(Database);
        var read = new Stored<EpochRecord>();
        await new SqliteGrainStorage(file).ReadStateAsync("epoch", Id, read);
        Assert.Equal((false, null, 0L), (read.RecordExists, read.ETag, read.State.Epoch));
    }

    [Fact]
    public async Task A_write_that_has_not_seen_the_last_one_is_refused_and_changes_nothing()
    {
        using var file = SqliteFile.Open(Database);
        var storage = new SqliteGrainStorage(file);
        var (mine, theirs) = (new Stored<EpochRecord>(), new Stored<EpochRecord>());
        mine.State.Epoch = 1;
        await storage.WriteStateAsync("epoch", Id, mine);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("epoch", Id, theirs));
        await storage.ReadStateAsync("epoch", Id, theirs);
        mine.State.Epoch = 2;
        await storage.WriteStateAsync("epoch", Id, mine);
        theirs.State.Epoch = 99;
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("epoch", Id, theirs));

        await storage.ReadStateAsync("epoch", Id, theirs);
        Assert.Equal(2, theirs.State.Epoch);
    }

    [Fact]
    public async Task A_refused_write_does_not_fail_those_that_share_its_commit()
    {
        using var file = SqliteFile.Open(Database);
        var storage = new SqliteGrainStorage(file);
        await storage.WriteStateAsync("epoch", GrainId.Create("guild", "0"), new Stored<EpochRecord>());
        var writes = Enumerable.Range(0, 500).Select(i => storage.WriteStateAsync("epoch", GrainId.Create("guild", $"{i}"), new Stored<EpochRecord>())).ToArray();
        await Assert.ThrowsAsync<InconsistentStateException>(() => writes[0]);
        await Task.WhenAll(writes[1..]);
    }

    [Fact]
    public async Task What_is_cleared_is_gone_and_may_be_written_again()
    {
        using var file = SqliteFile.Open(Database);
        var storage = new SqliteGrainStorage(file);
        var state = new Stored<EpochRecord> { State = new() { Epoch = 4 } };
        await storage.WriteStateAsync("epoch", Id, state);
        await storage.ClearStateAsync("epoch", Id, state);
        Assert.Equal((false, null, 0L), (state.RecordExists, state.ETag, state.State.Epoch));
        await storage.WriteStateAsync("epoch", Id, state);
        Assert.True(state.RecordExists);
    }

    [Fact]
    public void A_second_process_is_refused_in_one_line()
    {
        using var file = SqliteFile.Open(Database);
        var refusal = Assert.Throws<StartupException>(() => SqliteFile.Open(Database));
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.Contains("another voice process", refusal.Message);
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_in_one_line()
    {
        File.WriteAllText(Database, new string('x', 4096));
        Assert.Contains(Database, Assert.Throws<StartupException>(() => SqliteFile.Open(Database)).Message);
    }

    [Fact]
    public async Task Saves_that_come_while_one_runs_share_the_next()
    {
        var slow = new SlowState();
        var stored = new StoredState<EpochRecord>(slow);
        var first = stored.Save();
        var others = Enumerable.Range(0, 100).Select(_ => stored.Save()).ToArray();
        Assert.Equal(1, slow.Writes);
        slow.Finish(0);
        await first;
        slow.Finish(1);
        await Task.WhenAll(others);
        Assert.Equal(2, slow.Writes);
    }

    private sealed class Stored<T> : IGrainState<T>
        where T : new()
    {
        [System.Diagnostics.CodeAnalysis.AllowNull]
        public T State { get; set; } = new();

        public string? ETag { get; set; }

        public bool RecordExists { get; set; }
    }

    private sealed class SlowState : IPersistentState<EpochRecord>
    {
        private readonly TaskCompletionSource[] finished = [new(), new()];

        public int Writes { get; private set; }

        public EpochRecord State { get; set; } = new();

        public string Etag => "";

        public bool RecordExists => true;

        public void Finish(int write) => finished[write].SetResult();

        public Task ClearStateAsync() => Task.CompletedTask;

        public Task ReadStateAsync() => Task.CompletedTask;

        public Task WriteStateAsync() => finished[Writes++].Task;
    }
}
