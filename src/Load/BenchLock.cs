namespace Voice.Load;

/// <summary>One bench at a time on a machine: two would measure each other.</summary>
internal static class BenchLock
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Waits for its turn; disposing gives it on.</summary>
    /// <param name="waits">Told when there is a wait.</param>
    public static async Task<IDisposable> TakeAsync(Action waits, CancellationToken cancel)
    {
        var path = Path.Combine(Path.GetTempPath(), "voice-bench.lock");
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                waits();
                await Task.Delay(Interval, cancel);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new LoadException($"{path} is somebody else's: {e.Message}", e);
            }
        }
    }
}
