namespace Voice.Signaling.Hosting;

/// <summary>Files that hold keys: readable by their owner alone, and never half written.</summary>
public static class SecretFile
{
    public static void Write(string path, string text) => Put(path, text, overwrite: true);

    /// <summary>What the file in the data folder holds; if there is none, what <paramref name="make"/> gives, which is stored. Of
    /// two processes that start at the same time both get the same.</summary>
    /// <exception cref="StartupException">The folder or the file can not be made, written or read.</exception>
    public static string ReadOrMake(string dataDirectory, string name, Func<string> make)
    {
        var path = Path.Combine(dataDirectory, name);
        try
        {
            Directory.CreateDirectory(dataDirectory);
            if (!File.Exists(path)) Put(path, make(), overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was first; its content counts.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the data folder {dataDirectory} cannot be used ({e.Message}): make it writable or pass --data", e);
        }

        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{path} cannot be read ({e.Message}): make it readable, or move it away to have a new one made", e);
        }
    }

    /// <summary>Holds the folder's lock until disposed, so that what one process makes there another finds made.</summary>
    /// <exception cref="IOException">It was not to be had within ten seconds, or cannot be made.</exception>
    public static FileStream Lock(string path)
    {
        for (var until = Environment.TickCount64 + 10_000; ;)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path) && Environment.TickCount64 < until)
            {
                Thread.Sleep(20); // another process is at it, for a moment at start-up
            }
        }
    }

    private static void Put(string path, string text, bool overwrite)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.new";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var stream = new FileStream(temporary, options))
            using (var writer = new StreamWriter(stream))
            {
                writer.Write(text);
                writer.Flush();
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
