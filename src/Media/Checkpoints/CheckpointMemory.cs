using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using Voice.Protocol.Links;

namespace Voice.Media.Checkpoints;

/// <summary>The memory of all workers' checkpoints: it belongs to the node, and one process after another maps it (docs/decisions/0009). Never
/// unmapped while a worker may write: it lives as long as anybody holds it.</summary>
internal sealed class CheckpointMemory
{
    private readonly SafeMemoryMappedViewHandle view;
    private readonly WorkerCheckpoints[] workers;

    private unsafe CheckpointMemory(MemoryMappedFile file, int workerCount)
    {
        view = file.CreateViewAccessor().SafeMemoryMappedViewHandle;
        byte* start = null;
        view.AcquirePointer(ref start); // and never released, see above
        var each = (long)(view.ByteLength / (ulong)workerCount) / Checkpoint.Length;
        workers = new WorkerCheckpoints[workerCount];
        for (var i = 0; i < workerCount; i++) workers[i] = new(this, start + i * each * Checkpoint.Length, (int)Math.Min(each, int.MaxValue));
    }

    /// <summary>Whatever is in it can be read here: it is empty, or of the same layout.</summary>
    public bool IsReadable => workers.All(worker => worker.IsReadable);

    /// <summary>Shared with whoever has the descriptor.</summary>
    /// <param name="file">Of <see cref="MediaLink.CheckpointBytes"/> for each worker.</param>
    public static CheckpointMemory Map(SafeFileHandle file, int workers) =>
        new(MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false), workers);

    /// <summary>Of this process alone: nobody will go on where it stops.</summary>
    /// <param name="bytes">For each worker; the system gives what is written to.</param>
    public static CheckpointMemory Private(int workers, long bytes = MediaLink.CheckpointBytes) => new(MemoryMappedFile.CreateNew(null, workers * bytes), workers);

    public WorkerCheckpoints Of(int worker) => workers[worker];

    /// <summary>As a process sees it that maps it after this one.</summary>
    internal WorkerCheckpoints ForAnotherProcess(int worker) => workers[worker] = workers[worker].ForAnotherProcess();
}
