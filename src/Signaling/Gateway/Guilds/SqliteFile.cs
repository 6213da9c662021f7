using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>The database file: one connection on one thread. Whatever queues up while a commit runs shares the next one,
/// so that a crowd of writes costs few disk flushes. The file is locked: a second process is refused at start.</summary>
public sealed class SqliteFile : IDisposable
{
    private const int MaxBatch = 512;
    private const int SchemaVersion = 1;

    private readonly BlockingCollection<Work> queue = [];
    private readonly SqliteConnection connection;
    private readonly Thread thread;

    private SqliteFile(SqliteConnection connection)
    {
        this.connection = connection;
        thread = new Thread(Loop) { IsBackground = true, Name = "guild database" };
        thread.Start();
    }

    /// <exception cref="StartupException">The file cannot be used.</exception>
    public static SqliteFile Open(string path)
    {
        var settings = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 2 };
        var connection = new SqliteConnection(settings.ToString());
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            connection.Open();
            Execute(connection, """
                PRAGMA locking_mode = EXCLUSIVE;
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                """);
            var version = (long)Execute(connection, "PRAGMA user_version")!;
            if (version > SchemaVersion) throw new StartupException($"{path} was written by a newer version: use that one");
            Execute(connection, $"""
                CREATE TABLE IF NOT EXISTS grains (
                    id TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (id, state)
                ) WITHOUT ROWID;
                PRAGMA user_version = {SchemaVersion};
                """);
            return new SqliteFile(connection);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            connection.Dispose();
            var advice = e is SqliteException { SqliteErrorCode: 5 or 6 } ? "is another voice process using it?" : "make it readable and writable";
            throw new StartupException($"the guild database {path} cannot be used ({e.Message}): {advice}", e);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs on the file's thread, in a transaction; done when that is committed.</summary>
    public async Task<T> Run<T>(Func<SqliteConnection, T> statement)
    {
        T result = default!;
        var work = new Work(on => result = statement(on), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        queue.Add(work);
        await work.Done.Task;
        return result;
    }

    /// <summary>What was queued before is still done.</summary>
    public void Dispose()
    {
        if (queue.IsAddingCompleted) return;
        queue.CompleteAdding();
        thread.Join();
        connection.Dispose();
        queue.Dispose();
    }

    private static object? Execute(SqliteConnection on, string sql)
    {
        using var command = on.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private void Loop()
    {
        List<Work> batch = [];
        foreach (var first in queue.GetConsumingEnumerable())
        {
            batch.Add(first);
            while (batch.Count < MaxBatch && queue.TryTake(out var next)) batch.Add(next);
            Commit(batch);
            batch.Clear();
        }
    }

    private void Commit(List<Work> batch)
    {
        List<Work> done = [];
        try
        {
            Execute(connection, "BEGIN");
            foreach (var work in batch)
            {
                try
                {
                    work.Statement(connection);
                    done.Add(work);
                }
                catch (Exception e) when (e is not SqliteException)
                {
                    // A refused write (its ETag was old) changed nothing; the others go on.
                    work.Done.SetException(e);
                }
            }

            Execute(connection, "COMMIT");
        }
        catch (SqliteException e)
        {
            Rollback();
            foreach (var work in batch) work.Done.TrySetException(e);
            return;
        }

        foreach (var work in done) work.Done.SetResult();
    }

    private void Rollback()
    {
        try
        {
            Execute(connection, "ROLLBACK");
        }
        catch (SqliteException)
        {
            // There was no transaction left: SQLite had rolled it back itself (a full disk, for one).
        }
    }

    private sealed record Work(Action<SqliteConnection> Statement, TaskCompletionSource Done);
}
