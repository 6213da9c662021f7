using Microsoft.Win32.SafeHandles;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>The memory of the media processes' checkpoints (docs/decisions/0009). The node owns it and never looks into it; each media process inherits it,
/// and goes on where the one before stopped. It has no name, so it ends with the last of them.</summary>
internal sealed class MediaMemory : IDisposable
{
    private MediaMemory(SafeFileHandle file) => File = file;

    public SafeFileHandle File { get; }

    public static MediaMemory Create(int workers)
    {
        var file = Posix.MemoryFile() ?? Unnamed();
        RandomAccess.SetLength(file, workers * MediaLink.CheckpointBytes);
        return new MediaMemory(file);
    }

    public void Dispose() => File.Dispose();

    /// <summary>Only what is written to takes room, in memory or, where there is no other place, on a disk.</summary>
    private static SafeFileHandle Unnamed()
    {
        var path = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), Path.GetRandomFileName());
        var file = System.IO.File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        System.IO.File.Delete(path);
        return file;
    }
}
