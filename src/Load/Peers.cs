using Voice.Load.Results;

namespace Voice.Load;

/// <summary>Other servers under the same load.</summary>
internal static class Peers
{
    /// <summary>The driver's file.</summary>
    /// <param name="name">A file, or the name of one that comes with us.</param>
    public static string Find(string name)
    {
        string[] places = [name, .. ((string[])[".py", ".mjs"]).Select(extension => Path.Combine(AppContext.BaseDirectory, "peers", name + extension))];
        return places.FirstOrDefault(File.Exists) ?? throw new LoadException($"there is no driver of a peer called {name}");
    }

    public static string NameOf(string driver) => Path.GetFileNameWithoutExtension(driver);

    public static PeerResult Result(BenchResult ours, BenchResult theirs, string name) => new(
        name, theirs.ForwardedPerSecond, theirs.CpuUsPerForward, theirs.LossRatio, theirs.CpuUsPerForward / ours.CpuUsPerForward, theirs.RssBytes, theirs.BytesPerParticipant);
}
