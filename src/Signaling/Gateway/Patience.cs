namespace Voice.Signaling.Gateway;

/// <summary>Calls of grains that may be on a gateway that has just died: until the cluster knows, which takes some 3 s, they fail or
/// are not answered, and then the grain is on another gateway. Clients need not learn of it.</summary>
internal static class Patience
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <param name="call">Does no harm if it is made again.</param>
    public static async Task<T> For<T>(TimeProvider time, Func<Task<T>> call)
    {
        for (var start = time.GetTimestamp(); ;)
        {
            try
            {
                return await call();
            }
            catch (Exception e) when (e is OrleansException or TimeoutException && time.GetElapsedTime(start) < Longest)
            {
                await Task.Delay(Pause, time);
            }
        }
    }
}
