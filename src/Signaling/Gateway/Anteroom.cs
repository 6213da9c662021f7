using System.Net;

namespace Voice.Signaling.Gateway;

/// <summary>Counts the sockets that have not identified yet, which cost memory and come from anybody. Safe for all threads.</summary>
internal sealed class Anteroom
{
    public const int MaxSockets = 2048;
    public const int MaxOfNetwork = 1024; // a proxy in front of us is one address

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _sockets = [];
    private int _all;

    /// <summary>A place, until it is disposed of; null if there is none left.</summary>
    public IDisposable? Enter(IPAddress? address)
    {
        var network = ClientNetwork.Of(address);
        lock (_lock)
        {
            var own = _sockets.GetValueOrDefault(network);
            if (_all >= MaxSockets || own >= MaxOfNetwork) return null;
            _all++;
            _sockets[network] = own + 1;
        }

        return new Place(this, network);
    }

    private void Leave(IPAddress network)
    {
        lock (_lock)
        {
            _all--;
            if (--_sockets[network] == 0) _sockets.Remove(network);
        }
    }

    private sealed class Place(Anteroom room, IPAddress network) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) room.Leave(network);
        }
    }
}
