using System.Diagnostics;

namespace Voice.EndToEnd.Harness;

/// <summary>Waits for a condition, not for a time.</summary>
public static class Poll
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    public static Task Until(Func<bool> condition, string what, TimeSpan timeout) => Until(() => Task.FromResult(condition()), what, timeout);

    public static async Task Until(Func<Task<bool>> condition, string what, TimeSpan timeout)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > timeout) throw new TimeoutException($"Waited {timeout.TotalSeconds:0} s in vain for {what}.");
            await Task.Delay(Interval);
        }
    }
}
