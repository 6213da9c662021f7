using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Orleans.Storage;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>Grain states as JSON rows of one SQLite file. A row's version is its ETag: a write that has not seen the
/// last one is refused, so that two activations of a grain cannot undo each other.</summary>
public sealed class SqliteGrainStorage(SqliteFile file) : IGrainStorage
{
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var (version, json) = await file.Run(on =>
        {
            using var command = Command(on, "SELECT version, json FROM grains WHERE id = $id AND state = $state", stateName, grainId);
            using var row = command.ExecuteReader();
            return row.Read() ? (row.GetInt64(0), row.GetString(1)) : (0L, null);
        });
        grainState.RecordExists = json is not null;
        grainState.ETag = json is null ? null : Text(version);
        grainState.State = json is null ? Activator.CreateInstance<T>() : JsonSerializer.Deserialize<T>(json)!;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var json = JsonSerializer.Serialize(grainState.State);
        var seen = Version(grainState.ETag);
        await file.Run(on =>
        {
            using var command = Command(
                on,
                seen == 0
                    ? "INSERT INTO grains (id, state, version, json) VALUES ($id, $state, 1, $json) ON CONFLICT DO NOTHING"
                    : "UPDATE grains SET version = version + 1, json = $json WHERE id = $id AND state = $state AND version = $version",
                stateName,
                grainId);
            command.Parameters.AddWithValue("$json", json);
            command.Parameters.AddWithValue("$version", seen);
            return Changed(command, stateName, grainId, grainState.ETag);
        });
        grainState.RecordExists = true;
        grainState.ETag = Text(seen + 1);
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (grainState.ETag is not null)
        {
            await file.Run(on =>
            {
                using var command = Command(on, "DELETE FROM grains WHERE id = $id AND state = $state AND version = $version", stateName, grainId);
                command.Parameters.AddWithValue("$version", Version(grainState.ETag));
                return Changed(command, stateName, grainId, grainState.ETag);
            });
        }

        grainState.RecordExists = false;
        grainState.ETag = null;
        grainState.State = Activator.CreateInstance<T>();
    }

    private static SqliteCommand Command(SqliteConnection on, string sql, string stateName, GrainId grainId)
    {
        var command = on.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$id", grainId.ToString());
        command.Parameters.AddWithValue("$state", stateName);
        return command;
    }

    private static bool Changed(SqliteCommand command, string stateName, GrainId grainId, string? seen) =>
        command.ExecuteNonQuery() == 1
            ? true
            : throw new InconsistentStateException($"{stateName} of {grainId} was written by somebody else", "another", seen ?? "none");

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    private static long Version(string? etag) => etag is null ? 0 : long.Parse(etag, CultureInfo.InvariantCulture);
}
